"""A child: fills the store with operators whose mailboxes are in step, each with a sync state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django

from benchmarks.canned import STATE
from benchmarks.harness import answer, given

AT_ONCE = 5000


def main() -> None:
    """Fill it with as many mailboxes as asked."""
    asked = given()
    django.setup()
    _fill(asked["mailboxes"], datetime.now(UTC))
    answer({})


def _fill(mailboxes: int, now: datetime) -> None:
    from keepstep.store.models import Mailbox, Operator

    for first in range(0, mailboxes, AT_ONCE):
        emails = [f"idle{n}@example.com" for n in range(first, min(first + AT_ONCE, mailboxes))]
        made = Operator.objects.bulk_create(
            Operator(email=email, name=email.partition("@")[0], calendar_sync=True)
            for email in emails
        )
        Mailbox.objects.bulk_create(_mailbox(each, now) for each in made)


def _mailbox(operator: Any, now: datetime) -> Any:
    from keepstep.store.models import Mailbox

    return Mailbox(
        operator=operator,
        address=operator.email,
        folder_id="AAMkAD" * 20,
        sync_state=STATE.decode("ascii"),
        cutoff=now,
        last_success=now,
        full_round=1,
    )


if __name__ == "__main__":
    main()
