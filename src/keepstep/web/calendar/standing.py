"""How far the calendars that are shown can be believed: in step since when, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from keepstep.core.failures import FAILURES
from keepstep.core.schedule import Status
from keepstep.store.operators import ShownOperator, show_some
from keepstep.store.settings import load
from keepstep.web.calendar.whose import Whose

# A calendar that was in step longer ago is pointed out, whatever the schedule is.
LONG_AGO = timedelta(hours=1)
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Trouble:
    """An operator whose calendar can't be wholly believed, and the words of the failure, if any.

    `message` and `remedy` are of the catalogue, "" without failure.
    """

    operator: ShownOperator
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How the calendars stand.

    `integration_is_off`: nothing is read of Exchange at all. `since` is the last success of the
    calendar that is furthest behind; None: one was never in step. `is_old` says that it is long
    ago. `troubled` counts those not in step, `troubles` tells of the first of them.
    """

    integration_is_off: bool
    since: datetime | None
    is_old: bool
    count: int
    troubled: int
    troubles: tuple[Trouble, ...]

    @property
    def only(self) -> Trouble | None:
        """Give the trouble of a calendar that is looked at alone."""
        return self.troubles[0] if self.count == 1 and self.troubles else None


def standing(whose: Whose, now: datetime) -> Standing:
    """Say how the calendars of a choice stand at `now` (aware)."""
    operators = show_some([each.operator for each in whose.members], now)
    on = load(with_secrets=False).calendar_integration
    return judge(operators, now, integration_is_on=on)


def judge(
    operators: Sequence[ShownOperator], now: datetime, *, integration_is_on: bool
) -> Standing:
    """Say how the calendars of these operators stand."""
    troubled = [each for each in operators if each.status is not Status.IN_STEP or each.failure]
    successes = [each.last_success for each in operators]
    since = min((each for each in successes if each), default=None)
    return Standing(
        integration_is_off=not integration_is_on,
        since=None if None in successes else since,
        is_old=since is not None and now - since > LONG_AGO,
        count=len(operators),
        troubled=len(troubled),
        troubles=tuple(map(_trouble, troubled[:_NAMED])),
    )


def _trouble(operator: ShownOperator) -> Trouble:
    if operator.failure is None:
        return Trouble(operator, "", "")
    known = FAILURES.get(operator.failure.code, FAILURES["internal-error"])
    return Trouble(operator, known.message, known.remedy)
