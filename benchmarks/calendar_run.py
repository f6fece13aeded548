"""A child: one month of 50 operators with 40 series each, read as `appointments` reads it."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import django

from benchmarks.harness import answer, cpu_seconds, given

OPERATORS, SERIES = 50, 40


def main() -> None:
    """Fill the store, then measure reading."""
    given()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    answer(_measure())


def _measure() -> dict[str, Any]:
    from keepstep.core.record import ALL
    from keepstep.store import calendar, operators
    from keepstep.store.bulk import insert_live

    chance = random.Random(1)
    now = datetime.now(UTC)
    emails = [f"operator{number}@example.com" for number in range(OPERATORS)]
    for email in emails:
        mailbox = operators.add(email, {"time_zone": "Europe/Berlin"}).mailbox
        made = [(_series(chance, number), ALL) for number in range(SERIES)]
        insert_live(made, mailbox.pk, 1, now)
    first = now.date()
    begun = cpu_seconds()
    count = sum(len(calendar.entries(email, first, first + timedelta(days=31))) for email in emails)
    return {"cpu": cpu_seconds() - begun, "occurrences": count}


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
    pattern = chance.choice(
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
