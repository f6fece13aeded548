"""Making the store ready before a command that needs it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from keepstep.cli.logs import keep_from_terminal, log_to_file

P = ParamSpec("P")
T = TypeVar("T")


def start_django() -> None:
    """Let Django read its settings, and send the log to its file."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "keepstep.settings"
    log_to_file()
    keep_from_terminal()
    import django

    django.setup()


def needs_database(command: Callable[P, T]) -> Callable[P, T]:
    """Decorate a command: before it runs, the tables are those of this version.

    Modules of the store can be imported only from then on, so commands import them within.
    """

    @wraps(command)
    def ready(*args: P.args, **kwargs: P.kwargs) -> T:
        start_django()
        from keepstep.store.upgrade import require_current

        require_current()
        return command(*args, **kwargs)

    return ready
