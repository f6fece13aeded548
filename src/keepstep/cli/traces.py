"""Sending traces while a command runs, where the environment names an endpoint for them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from keepstep import environment
from keepstep.cli.output import safe
from keepstep.core.failures import FAILURES

log = logging.getLogger("keepstep.traces")

EXTRA_MISSING = "traces-extra-missing"
NOT_SENT = "traces-not-sent"

P = ParamSpec("P")
T = TypeVar("T")


def traced(command: Callable[P, T]) -> Callable[P, T]:
    """Decorate a command whose work is traced; nothing is imported for it unless that is wanted."""

    @wraps(command)
    def sending(*args: P.args, **kwargs: P.kwargs) -> T:
        if not environment.traces_wanted():
            return command(*args, **kwargs)
        with _traces(click.get_current_context().info_name or ""):
            return command(*args, **kwargs)

    return sending


@contextmanager
def _traces(command: str) -> Iterator[None]:
    """Send traces while the block runs; where that can't be, warn, and let it run without."""
    with ExitStack() as stack:
        try:
            from keepstep.traces import sending

            stack.enter_context(sending(command))
        except ImportError:
            _warn(EXTRA_MISSING, "")
        except Exception as error:  # noqa: BLE001 - whatever OTEL_ variables lead a library to
            _warn(NOT_SENT, type(error).__name__)
        yield


def _warn(code: str, detail: str) -> None:
    failure = FAILURES[code]
    told = f" ({detail})" if detail else ""
    click.echo(safe(f"keepstep: {failure.message}{told} {failure.remedy}"), err=True)
    log.warning("%s%s %s", failure.message, told, failure.remedy, extra={"code": code})
