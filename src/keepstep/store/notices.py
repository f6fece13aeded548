"""Failure and recovery e-mails: opening and closing notices, and the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from keepstep.core.episodes import Episode, NamedEpisode, all_over, to_be_named
from keepstep.store.mailboxes import SUCCESS
from keepstep.store.models import Mail, Mailbox, Notice, NoticeEntry

FAILURE = "failure"
RECOVERY = "recovery"
OF_FAILURES = (FAILURE, RECOVERY)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=3)
# A process that was killed while sending holds its e-mail back for this long.
CLAIMED_FOR = timedelta(minutes=10)
MOST_WAITING = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """An operator in an e-mail: the failure's code, and since when it lasted (UTC)."""

    operator: str
    code: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """An e-mail that is this process's to send. `message_id` is the part before the @.

    `site` is what the link of an e-mail to an account begins with, if the settings do not say.
    """

    id: int
    kind: str
    message_id: str
    recipients: tuple[str, ...]
    entries: tuple[Entry, ...]
    attempts: int
    site: str = ""


def review(now: datetime, recipients: Sequence[str], notification_frequency: timedelta) -> int:
    """See who has failed for too long and who is back; put the e-mails into the outbox.

    What was decided and the e-mail are stored in one transaction. Without recipients nobody is
    named, so that one set later hears of what fails then. Gives how many e-mails were put there.
    """
    try:
        with transaction.atomic():
            _end_where_off()
            told = _close(now)
            if recipients:
                told += _open(now, recipients, notification_frequency)
    except IntegrityError:
        return 0  # another process has named these episodes at this moment
    return told


def _end_where_off() -> None:
    """Let the episode be over where calendar sync is off: switched on again, it is a new one."""
    off = Mailbox.objects.filter(operator__calendar_sync=False).exclude(failing_since=None)
    off.update(**SUCCESS)


def _open(now: datetime, recipients: Sequence[str], notification_frequency: timedelta) -> int:
    failing = [_episode(each) for each in _failing()]
    if not failing:
        return 0
    known = NoticeEntry.objects.filter(mailbox__failing_since=F("since"))
    named = set(known.values_list("mailbox_id", "since"))
    due = to_be_named(failing, named, now, notification_frequency)
    if not due:
        return 0
    notice = Notice.objects.create(opened=now, recipients=list(recipients))
    NoticeEntry.objects.bulk_create(
        [NoticeEntry(notice=notice, mailbox_id=each.mailbox_id, since=each.since) for each in due],
        batch_size=200,
    )
    entries = [Entry(each.email, each.code, each.since) for each in due]
    _put(FAILURE, recipients, entries, now)
    return 1


def _failing() -> Iterable[Mailbox]:
    rows = Mailbox.objects.filter(operator__calendar_sync=True).exclude(failing_since=None)
    return rows.select_related("operator")


def _episode(mailbox: Mailbox) -> Episode:
    assert mailbox.failing_since is not None
    return Episode(mailbox.pk, mailbox.operator.email, mailbox.failure_code, mailbox.failing_since)


def _close(now: datetime) -> int:
    told = 0
    for notice in Notice.objects.filter(closed=None):
        rows = list(NoticeEntry.objects.filter(notice=notice).select_related("mailbox__operator"))
        named = [_named(each) for each in rows]
        over = [row.pk for row, each in zip(rows, named, strict=True) if each.over]
        for start in range(0, len(over), 500):
            NoticeEntry.objects.filter(pk__in=over[start : start + 500]).update(over=True)
        if not all_over(named):
            continue
        if not Notice.objects.filter(pk=notice.pk, closed=None).update(closed=now):
            continue  # another process tells of it
        entries = [Entry(row.mailbox.operator.email, "", row.since) for row in rows]
        _put(RECOVERY, notice.recipients, entries, now)
        told += 1
    return told


def _named(entry: NoticeEntry) -> NamedEpisode:
    mailbox = entry.mailbox
    if entry.over:
        return NamedEpisode(mailbox.pk, entry.since, None, enabled=True)
    return NamedEpisode(
        mailbox.pk, entry.since, mailbox.failing_since, mailbox.operator.calendar_sync
    )


def _put(kind: str, recipients: Sequence[str], entries: Sequence[Entry], now: datetime) -> None:
    Mail.objects.create(
        kind=kind,
        message_id=uuid4().hex,
        recipients=list(recipients),
        entries=[
            {"operator": each.operator, "code": each.code, "since": each.since.isoformat()}
            for each in entries
        ],
        created=now,
        next_attempt=now,
    )
    waiting = _waiting().filter(kind__in=OF_FAILURES).order_by("-pk").values_list("pk", flat=True)
    crowded_out = list(waiting[MOST_WAITING : 2 * MOST_WAITING])
    _give_up(Mail.objects.filter(pk__in=crowded_out), now)


@dataclass(frozen=True, slots=True)
class Outbox:
    """How many e-mails wait to be sent, and why the oldest was not ("": it was not tried yet)."""

    waiting: int
    problem: str


def outbox() -> Outbox:
    """Look what waits to be sent of failures."""
    waiting = _waiting().filter(kind__in=OF_FAILURES)
    oldest = waiting.order_by("pk").first()
    tried = oldest is not None and oldest.attempts
    return Outbox(waiting.count(), oldest.problem if oldest and tried else "")


def is_any_waiting() -> bool:
    """Say whether an e-mail waits to be sent."""
    return _waiting().exists()


def note_unsendable(problem: str) -> int:
    """Note why nothing can be sent at all; give for how many e-mails this is new."""
    return _waiting().exclude(problem=problem[:500]).update(problem=problem[:500])


def give_up_old(now: datetime) -> int:
    """Give up the e-mails that wait for too long; give how many they are."""
    return _give_up(_waiting().filter(created__lte=now - GIVEN_UP_AFTER), now)


def claim(now: datetime) -> WaitingMail | None:
    """Give the oldest e-mail that is due, this process's alone for a while; None if none is."""
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    due = _waiting().filter(free, next_attempt__lte=now)
    while (mail := due.order_by("pk").first()) is not None:
        # The condition is checked as it is written: of two processes one gets the e-mail.
        taken = due.filter(pk=mail.pk).update(
            claimed_until=now + CLAIMED_FOR, attempts=mail.attempts + 1
        )
        if taken:
            break
    else:
        return None
    return WaitingMail(
        mail.pk,
        mail.kind,
        mail.message_id,
        tuple(mail.recipients),
        tuple(_entry(each) for each in mail.entries if "operator" in each),
        mail.attempts + 1,
        next((each["site"] for each in mail.entries if "site" in each), ""),
    )


def note_sent(mail_id: int, at: datetime) -> None:
    """Note that the mail server took the e-mail; whom it named is kept no longer."""
    Mail.objects.filter(pk=mail_id).update(
        sent=at, claimed_until=None, entries=[], recipients=[], problem=""
    )


def note_unsent(mail: WaitingMail, problem: str, at: datetime) -> None:
    """Note why the e-mail could not be sent, and when it is tried again."""
    pause = min(FIRST_PAUSE * 2 ** min(mail.attempts - 1, 10), LONGEST_PAUSE)
    Mail.objects.filter(pk=mail.id).update(
        claimed_until=None, next_attempt=at + pause, problem=problem[:500]
    )


def drop(mail_id: int, at: datetime) -> None:
    """Note that an e-mail has no purpose any more."""
    _give_up(Mail.objects.filter(pk=mail_id), at)


def _waiting() -> QuerySet[Mail]:
    return Mail.objects.filter(sent=None, given_up=None)


def _give_up(mails: QuerySet[Mail], now: datetime) -> int:
    return mails.update(given_up=now, claimed_until=None, entries=[], recipients=[])


def _entry(stored: dict[str, str]) -> Entry:
    return Entry(stored["operator"], stored["code"], datetime.fromisoformat(stored["since"]))
