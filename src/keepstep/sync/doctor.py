"""The doctor: the connection to Exchange step by step, up to the first thing that is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from keepstep.core.administration import Circumstances, for_administrator
from keepstep.core.errors import ExchangeError
from keepstep.core.failures import FAILURES


class Status(StrEnum):
    """How a step ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it is shown: `code` is one of the catalogue, None where all is well."""

    step: str
    status: Status
    code: str | None
    message: str
    remedy: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, being content: plain words, and the code of a warning if there is one."""

    message: str
    warning: str = ""


Check = Callable[[], Awaitable[Finding]]


async def examine(
    checks: Sequence[tuple[str, Check]],
    about: Circumstances,
    show: Callable[[Step], None] = lambda _: None,
    apart: Sequence[tuple[str, Check]] = (),
) -> list[Step]:
    """Make the checks in their order; after the first that fails all others are skipped.

    Those `apart` depend on no other: they are made at the end in any case. A check gives its
    finding or raises `ExchangeError`. Each step is shown as soon as it is known.
    """
    steps: list[Step] = []
    cause = ""
    for name, check in (*checks, *apart):
        skip = cause and (name, check) not in apart
        step = _skipped(name, cause) if skip else await _made(name, check, about)
        if step.status is Status.FAILED and not cause:
            cause = name
        steps.append(step)
        show(step)
    return steps


def is_well(steps: Sequence[Step]) -> bool:
    """Say whether no step failed."""
    return all(step.status is not Status.FAILED for step in steps)


async def _made(name: str, check: Check, about: Circumstances) -> Step:
    try:
        finding = await check()
    except ExchangeError as error:
        return _of_failure(name, error, about)
    if finding.warning:
        remedy = _remedy(finding.warning, about)
        return Step(name, Status.WARNING, finding.warning, finding.message, remedy)
    return Step(name, Status.OK, None, finding.message, None)


def _of_failure(name: str, error: ExchangeError, about: Circumstances) -> Step:
    code = error.code if error.code in FAILURES else "internal-error"
    detail = f" ({error.detail})" if error.detail else ""
    message = f"{FAILURES[code].message}{detail}"
    return Step(name, Status.FAILED, code, message, _remedy(code, about))


def _remedy(code: str, about: Circumstances) -> str:
    return " ".join(filter(None, (FAILURES[code].remedy, for_administrator(code, about))))


def _skipped(name: str, cause: str) -> Step:
    message = f"Not looked at: the step {cause} has to succeed first."
    return Step(name, Status.SKIPPED, None, message, None)


@dataclass(frozen=True, slots=True)
class Load:
    """What a round has to do: how many mailboxes, over how many connections, how often."""

    mailboxes: int
    connections: int
    every_minutes: float | None


SLOW_SECONDS = 2.0
# Between rounds the server shall have as much time as a round takes.
_SHARE_OF_TIME = 0.5


def advice(seconds: Sequence[float], load: Load) -> Finding:
    """Say how fast the server is, how long a round of idle mailboxes takes, how often to poll."""
    one = median(seconds)
    parts = [f"One request takes {_time(one)}."]
    warning = "server-slow" if one > SLOW_SECONDS else ""
    if load.mailboxes:
        round_seconds = one * -(-load.mailboxes // load.connections)
        parts.append(
            f"A round in which nothing has changed takes about {_time(round_seconds)}"
            f" for {load.mailboxes} mailboxes over {load.connections} connections."
        )
        minutes = max(1, -int(-round_seconds // (60 * _SHARE_OF_TIME)))
        if load.every_minutes is not None and load.every_minutes < minutes:
            warning = "server-slow"
            parts.append(f"Leave at least {minutes} minutes between rounds.")
        else:
            parts.append(f"A pause of {_minutes(minutes)} between rounds is enough.")
    return Finding(" ".join(parts), warning)


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _minutes(count: int) -> str:
    return "1 minute" if count == 1 else f"{count} minutes"
