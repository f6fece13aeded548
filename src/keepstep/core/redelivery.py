"""When a delivery that a webhook did not take is tried again, and when it is given up."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=2)
MOST_ATTEMPTS = 25


def again_at(attempts: int, now: datetime, chance: float) -> datetime | None:
    """Give when to try again after so many failed attempts (1 and up), None to give up.

    Pauses double, and are spread by `chance` (0 to 1) so that not all come back at once. In all
    it is tried for more than a day.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    pause: timedelta = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
    return now + pause * (0.75 + chance / 2)
