"""How the service account's sign-in fared, kept for the next process, which must not lock it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Count

from keepstep.core.lockout import PROVEN, SIGN_IN_REFUSED, SignInRecord, after_refusal, claimed
from keepstep.store.models import Mailbox, SignIn


def read(account: str) -> SignInRecord:
    """Give how the sign-in of this account fared."""
    row = SignIn.objects.filter(account=account).first()
    return PROVEN if row is None else SignInRecord(row.refusals, row.next_probe)


def refuse(account: str, at: datetime) -> SignInRecord:
    """Note one more refused sign-in; give how it stands now. Only one account is kept."""
    with transaction.atomic():
        record = after_refusal(read(account), at)
        SignIn.objects.exclude(account=account).delete()
        _write(account, record)
    return record


def accept(account: str) -> None:
    """Note that the sign-in is right."""
    SignIn.objects.filter(account=account).delete()


def claim(account: str, now: datetime) -> SignInRecord | None:
    """Take the probe of a sign-in marked as wrong, before any other process does.

    Gives None where the sign-in may be tried: the caller has the probe, or nothing is wrong. Else
    how it stands, with the pause that holds.
    """
    record = read(account)
    if record.held_until(now) is not None:
        return record
    if not record.wrong:
        return None
    probe = claimed(record, now)
    # The condition is checked as it is written: of two processes one has the probe.
    taken = SignIn.objects.filter(account=account, refusals=record.refusals).update(
        refusals=probe.refusals, next_probe=probe.next_probe
    )
    return None if taken else read(account)


def forget() -> None:
    """Begin anew: the credentials were set again."""
    SignIn.objects.all().delete()


def switch_to(account: str) -> None:
    """Begin anew where other credentials are used from now on, be they given from outside.

    Those whose sign-in was refused are tried at once.
    """
    others = SignIn.objects.exclude(account=account)
    if others.exists():
        others.delete()
        _try_refused_soon()


def mend(account: str) -> bool:
    """Note that the sign-in is right, and have tried at once who waits for it; say if any did."""
    known, _ = SignIn.objects.filter(account=account).delete()
    return _try_refused_soon() or bool(known)


def _try_refused_soon() -> bool:
    refused = Mailbox.objects.filter(failure_code=SIGN_IN_REFUSED).exclude(next_attempt=None)
    return bool(refused.update(next_attempt=None))


def succeeded_since(moment: datetime) -> bool:
    """Say whether any mailbox had a successful round that began after the moment (UTC)."""
    return Mailbox.objects.filter(last_success__gt=moment).exists()


def failing_by_code() -> tuple[dict[str, int], int]:
    """Give how many mailboxes to be read failed last, by code, and how many there are."""
    mailboxes = Mailbox.objects.filter(operator__calendar_sync=True)
    failing = mailboxes.exclude(failing_since=None).values_list("failure_code")
    return dict(failing.annotate(Count("id"))), mailboxes.count()


def _write(account: str, record: SignInRecord) -> None:
    SignIn.objects.update_or_create(
        account=account,
        defaults={"refusals": record.refusals, "next_probe": record.next_probe},
    )
