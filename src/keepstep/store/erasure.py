"""Erasing an operator's data whole, to the bytes of the file."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import connection, transaction

from keepstep.store import accounts, audit, operators
from keepstep.store.models import (
    Account,
    Appointment,
    History,
    ImportDraft,
    LeftOut,
    Mail,
    NoticeEntry,
    Quarantine,
    Run,
    Setting,
)

log = logging.getLogger("keepstep.store")

PATIENCE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Erased:
    """What was deleted. `named_in` are settings that still hold the address."""

    email: str
    appointments: int
    history: int
    named_in: tuple[str, ...]


def erase(email: str, *, by: str = audit.COMMAND_LINE) -> Erased:
    """Delete the operator with all that was kept of the mailbox, in one transaction.

    The account, its sessions and what it had begun go, too.

    A round under way can't bring anything back: its mailbox is gone. The audit keeps what was
    done, by whom, with a stand-in for the operator. Raises UsageError for an unknown address, and
    for the last administrator. The bytes are gone after `forget_bytes`.
    """
    with transaction.atomic():
        operator = operators.find(email)
        mailbox = operator.mailbox.pk
        appointments, _ = Appointment.objects.filter(mailbox=mailbox).delete()
        history, _ = History.objects.filter(mailbox=mailbox).delete()
        for model in (Quarantine, LeftOut, NoticeEntry):
            model._default_manager.filter(mailbox=mailbox).delete()
        _strike_from_runs(operator.email)
        _strike_from_mails(operator.email)
        # Uploads are kept for a day only: to look what each one holds is not worth it.
        ImportDraft.objects.all().delete()
        stand_in = audit.pseudonym(operator.pk)
        audit.record(by, "operator.erase", stand_in, {"appointments": (appointments, 0)})
        signs_in_as = Account.objects.filter(operator=operator).values_list("email", flat=True)
        audit.forget([operator.email, *signs_in_as], stand_in)
        accounts.erase_of(operator)
        operator.delete()
        erased = Erased(operator.email, appointments, history, _named_in(operator.email))
    return erased


def forget_bytes() -> bool:
    """See that what was deleted or overwritten is in no file of the database any more.

    SQLite overwrites what is deleted (secure_delete), but its write-ahead log holds older pages
    until they are copied back: that is done here. Gives False where a reader stood in the way
    for `PATIENCE_SECONDS`. On PostgreSQL there is nothing to do here: its own vacuum reuses the
    space in time.
    """
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        before = int(cursor.fetchone()[0])
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_SECONDS * 1000}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy = bool(cursor.fetchone()[0])
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {before}")
    if busy:
        log.warning("a reader kept deleted data in the write-ahead log; the nightly purge retries")
    return not busy


def forget_bytes_soon() -> None:
    """Call `forget_bytes` when the transaction under way has been committed."""
    # Once for all that asks for it; should it fail, what was committed stands none the less.
    if all(each[1] is not _forget for each in connection.run_on_commit):
        transaction.on_commit(_forget, robust=True)


def _forget() -> None:
    forget_bytes()


def _strike_from_runs(email: str) -> None:
    for run in Run.objects.exclude(failures=[]).iterator(chunk_size=200):
        kept = [each for each in run.failures if not _is_of(each, email)]
        if len(kept) != len(run.failures):
            Run.objects.filter(pk=run.pk).update(failures=kept)


def _strike_from_mails(email: str) -> None:
    for mail in Mail.objects.filter(sent=None, given_up=None):
        kept = [each for each in mail.entries if not _is_of(each, email)]
        if (not kept and mail.entries) or email.lower() in map(str.lower, mail.recipients):
            mail.delete()
        elif len(kept) != len(mail.entries):
            Mail.objects.filter(pk=mail.pk).update(entries=kept)


def _is_of(entry: dict[str, str], email: str) -> bool:
    return str(entry.get("operator", "")).lower() == email.lower()


def _named_in(email: str) -> tuple[str, ...]:
    named = Setting.objects.filter(value__icontains=email).order_by("name")
    return tuple(named.values_list("name", flat=True))
