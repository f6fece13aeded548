"""Work that takes longer than a page may, shown as it goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import render

from keepstep.sync import background
from keepstep.sync.background import Reporter, Work, start
from keepstep.web.access import account_of, signed_in

__all__ = ["Reporter", "Work", "progress", "start"]


@signed_in
def progress(request: HttpRequest, task: UUID) -> Any:
    """Show how far a task is. While it runs the fragment asks again by itself.

    Each kind of task has its own template `tasks/KIND.html`, which extends `tasks/task.html`.
    """
    found = background.find(account_of(request), task, datetime.now(UTC))
    if found is None:
        return render(request, "not_found.html", status=404)
    return render(request, f"tasks/{found.kind}.html", {"task": found})
