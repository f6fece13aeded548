"""Keeping Exchange from locking the service account after a sign-in that is wrong.

Three refused sign-ins in a row, whichever mailboxes they were for, mark the sign-in as wrong.
From then on there is one probe for each pause, for the whole account. The first pauses are as long
as the spell within which directories commonly count failed sign-ins (10 to 30 minutes).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WRONG_AFTER = 3
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=1)
SIGN_IN_REFUSED = "sign-in-refused"


@dataclass(frozen=True, slots=True)
class SignInRecord:
    """How the sign-in fared: refusals in a row, and when it may be tried next if it is wrong."""

    refusals: int = 0
    next_probe: datetime | None = None

    @property
    def wrong(self) -> bool:
        """Say whether the sign-in is marked as wrong."""
        return self.refusals >= WRONG_AFTER

    def held_until(self, now: datetime) -> datetime | None:
        """Give the instant before which nobody may sign in; None: now it may be tried."""
        if self.wrong and self.next_probe is not None and now < self.next_probe:
            return self.next_probe
        return None


PROVEN = SignInRecord()


def held_back(until: datetime) -> str:
    """Say why nothing is sent before `until` (UTC), and what makes it be sent at once."""
    return (
        "nothing was sent, so that Exchange does not lock the account: it is tried again after"
        f" {until:%Y-%m-%d %H:%M:%S} UTC, and at once when username or password are set again"
    )


def after_refusal(record: SignInRecord, now: datetime) -> SignInRecord:
    """Give the record after one more refused sign-in.

    One that comes while a pause holds changes nothing: it was under way before the third, or is
    the probe, which was counted when it was claimed.
    """
    if record.held_until(now) is not None:
        return record
    refusals = record.refusals + 1
    return SignInRecord(refusals, now + _pause(refusals) if refusals >= WRONG_AFTER else None)


def claimed(record: SignInRecord, now: datetime) -> SignInRecord:
    """Give the record from when a probe is sent: as if it were refused, until it is accepted."""
    return SignInRecord(record.refusals + 1, now + _pause(record.refusals + 1))


def _pause(refusals: int) -> timedelta:
    doublings: int = min(refusals - WRONG_AFTER, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
