"""The options of a command that say which operators are looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ParamSpec

import click

if TYPE_CHECKING:
    from keepstep.store.operator_search import Search

P = ParamSpec("P")
_STATUSES = ("off", "waiting", "in_step", "retrying", "failed")
_OPTIONS = (
    click.option("--search", "text", help="Words in the address, the name or the access group."),
    click.option("--status", type=click.Choice(_STATUSES), help="Only those of this status."),
    click.option("--group", "access_group", help="Only this access group; '' for those in none."),
    click.option("--failure", "failure_code", help="Only those with this failure, by its code."),
)


def searching(command: Callable[P, None]) -> Callable[P, None]:
    """Decorate a command: it takes text, status, access_group, failure_code, each None or text."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_search(asked: Mapping[str, str | None]) -> Search:
    """Give what is looked for, from the values of the options."""
    from keepstep.core.schedule import Status
    from keepstep.store.operator_search import Search

    status = asked["status"]
    return Search(
        text=asked["text"] or "",
        status=None if status is None else Status(status),
        access_group=asked["access_group"],
        failure_code=asked["failure_code"],
    )
