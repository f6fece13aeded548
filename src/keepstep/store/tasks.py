"""Work that a page has begun: noted as it goes on, so that any page can show how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from keepstep.store.models import Account, Task

# A task that nothing was heard of for so long was ended with the process that did it.
SILENT_FOR = timedelta(minutes=10)
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ShownTask:
    """A task as it stands. `running` is False, too, once nothing was heard of it for long."""

    id: UUID
    kind: str
    running: bool
    done: int
    total: int
    lines: list[dict[str, Any]]
    result: dict[str, Any]
    problem: str

    @property
    def percent(self) -> int | None:
        """Give how much of it is done, of 100; None where that is not known."""
        return min(100, self.done * 100 // self.total) if self.total else None


def begin(account: Account, kind: str, now: datetime) -> UUID:
    """Note that work of this kind begins; gives its id. Old ones are forgotten."""
    with transaction.atomic():
        Task.objects.filter(touched__lt=now - KEPT_FOR).delete()
        return Task.objects.create(account=account, kind=kind, started=now, touched=now).id


def advance(task: UUID, done: int, total: int, now: datetime) -> None:
    """Note how far it is."""
    Task.objects.filter(pk=task).update(done=done, total=total, touched=now)


def show_lines(task: UUID, lines: list[dict[str, Any]], now: datetime) -> None:
    """Note what it has shown so far."""
    Task.objects.filter(pk=task).update(lines=_plain(lines), touched=now)


def end(task: UUID, now: datetime, *, result: Mapping[str, Any], problem: str = "") -> None:
    """Note how it ended."""
    Task.objects.filter(pk=task).update(
        finished=now, touched=now, result=_plain(dict(result)), problem=problem
    )


def find(account: Account, task: UUID, now: datetime) -> ShownTask | None:
    """Give a task of this account as it stands at `now`; None if there is no such one."""
    row = Task.objects.filter(pk=task, account=account).first()
    if row is None:
        return None
    lost = row.finished is None and now - row.touched > SILENT_FOR
    return ShownTask(
        row.id,
        row.kind,
        row.finished is None and not lost,
        row.done,
        row.total,
        row.lines,
        row.result,
        row.problem or ("The server was stopped before this was done." if lost else ""),
    )


def _plain(value: Any) -> Any:
    """Give the value as JSON can hold it: instants and the like as text."""
    import json

    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))
