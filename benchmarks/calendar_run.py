"""A child: one month of 50 operators with 40 series each, of one and of all together."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import django

from benchmarks.harness import answer, cpu_seconds, given

OPERATORS, SERIES, TIMES = 50, 40, 5


def main() -> None:
    """Fill the store, then measure reading."""
    given()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    answer(_measure())


def _measure() -> dict[str, Any]:
    from keepstep.core.record import ALL
    from keepstep.core.roles import Role
    from keepstep.store import accounts, calendar, operators, seen
    from keepstep.store.bulk import insert_live
    from keepstep.web.calendar import whose

    chance = random.Random(1)
    now = datetime.now(UTC)
    emails = [f"operator{number}@example.com" for number in range(OPERATORS)]
    for email in emails:
        fields = {"time_zone": "Europe/Berlin", "access_group": "Team", "calendar_sync": "true"}
        mailbox = operators.add(email, fields).mailbox
        made = [(_series(chance, number), ALL) for number in range(SERIES)]
        insert_live(made, mailbox.pk, 1, now)
    first = now.date()
    last = first + timedelta(days=31)

    def one_by_one() -> int:
        return sum(len(calendar.entries(email, first, last)) for email in emails)

    def as_text() -> int:
        members = calendar.team("Team")
        return len(calendar.team_entries(members, "Europe/Berlin", first, last))

    administrator = accounts.create("admin@example.com", Role.ADMINISTRATOR)

    def drawn() -> int:
        chosen = whose.resolve(administrator, "team:Team")
        assert chosen is not None
        days = calendar.window(chosen.time_zone, first, last)
        return len(seen.entries(chosen.members, days, include_cancelled=False))

    ones, occurrences = _cost(one_by_one)
    team, together = _cost(as_text)
    page, meetings = _cost(drawn)
    assert occurrences == together, (occurrences, together)
    assert meetings == OPERATORS * SERIES, meetings
    return {"one": ones / OPERATORS, "team": team, "page": page, "occurrences": occurrences}


def _cost(read: Callable[[], int]) -> tuple[float, int]:
    """Give the CPU seconds of reading, of some times the median, and how much was read."""
    costs = []
    for _ in range(TIMES):
        begun = cpu_seconds()
        count = read()
        costs.append(cpu_seconds() - begun)
    return median(costs), count


def _series(chance: random.Random, number: int) -> Any:
    from keepstep.core.appointment import (
        AbsoluteMonthly,
        Appointment,
        ChangedOccurrence,
        Daily,
        Details,
        Recurrence,
        Weekday,
        Weekly,
        Zone,
    )

    begun = date(2020, 1, 1) + timedelta(days=chance.randrange(2000))
    pattern: Any = chance.choice(
        [
            Daily(chance.randint(1, 3)),
            Weekly(1, frozenset({Weekday(chance.randrange(5))})),
            AbsoluteMonthly(1, chance.randint(1, 31)),
        ]
    )
    start = datetime(begun.year, begun.month, begun.day, chance.randint(7, 16), tzinfo=UTC)
    hour = timedelta(hours=1)
    moved = start + timedelta(days=7)
    return Appointment(
        f"item {number}",
        "key",
        f"uid {number} {chance.random()}",
        start,
        start + hour,
        zone=Zone("Europe/Berlin"),
        details=Details(subject=f"Series {number}", body="Agenda " * 50),
        recurrence=Recurrence(pattern, begun),
        changed=(ChangedOccurrence(moved, moved + hour, moved + 2 * hour, "occ"),),
    )


if __name__ == "__main__":
    main()
