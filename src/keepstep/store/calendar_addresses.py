"""Subscription addresses of calendars: made, revoked, listed, found by what they hold.

An address holds a token of 256 random bits; whoever knows it reads the calendar. Only its digest
is stored, so the address is told once, when it is made. There is at most one for each operator
and each access group; a new one ends the old one's effect at once, as revoking does.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from keepstep.core.errors import UsageError
from keepstep.store import audit
from keepstep.store.models import Account, CalendarAddress, Operator
from keepstep.store.operators import access_groups

# Known to no more than the hour, so that reading seldom writes.
_NOTED_EVERY = timedelta(hours=1)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_TEAM = "team "


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose calendar an address is of: an operator's, or an access group's."""

    operator: Operator | None = None
    access_group: str = ""

    @property
    def words(self) -> str:
        """Give what it is called in messages and in the audit."""
        return self.operator.email if self.operator else f"{_TEAM}{self.access_group}"

    @property
    def _addresses(self) -> QuerySet[CalendarAddress]:
        if self.operator is not None:
            return CalendarAddress.objects.filter(operator=self.operator)
        return CalendarAddress.objects.filter(operator=None, access_group=self.access_group)

    def address(self) -> CalendarAddress | None:
        """Give the address that there is, if any."""
        return self._addresses.first()

    def forget(self) -> int:
        """Delete the address that there is; give how many that was."""
        return self._addresses.delete()[0]


def of_team(access_group: str) -> Subject:
    """Give an access group as a subject. Raises UsageError where it has no operator."""
    if not access_group or access_group not in access_groups():
        raise UsageError(f"no operator has the access group {access_group!r}.")
    return Subject(access_group=access_group)


def make(subject: Subject, now: datetime, *, by: str = audit.COMMAND_LINE) -> str:
    """Make an address, in place of the one that there is; give its token, which is told once."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        renewed = bool(subject.forget())
        CalendarAddress.objects.create(
            operator=subject.operator,
            access_group=subject.access_group,
            digest=_digest(token),
            made_at=now,
        )
        change: dict[str, audit.Change] = {"address": audit.CHANGED} if renewed else {}
        audit.record(by, "calendar-address.make", subject.words, change)
    return token


def revoke(subject: Subject, *, by: str = audit.COMMAND_LINE) -> None:
    """End an address's effect at once. Raises UsageError where there is none."""
    with transaction.atomic():
        if not subject.forget():
            raise UsageError(f"{subject.words} has no calendar address.")
        audit.record(by, "calendar-address.revoke", subject.words, {})


def path_of(token: str) -> str:
    """Give the path that an address ends with (keepstep.web.urls)."""
    return f"/ical/{token}.ics"


def listing() -> list[CalendarAddress]:
    """Give all addresses: those of teams, then those of operators, each in order."""
    found = CalendarAddress.objects.select_related("operator")
    return list(found.order_by("operator__email", "access_group"))


def find(token: str) -> CalendarAddress | None:
    """Give the address that holds a token; None: there is none, or it has no effect now.

    One of an operator whose account is switched off has none as long as that is so.
    """
    if not _TOKEN.fullmatch(token):
        return None
    found = CalendarAddress.objects.select_related("operator").filter(digest=_digest(token)).first()
    if found is None:
        return None
    switched_off = Account.objects.filter(operator=found.operator, is_active=False)
    if found.operator is not None and switched_off.exists():
        return None
    return found


def note_read(address: CalendarAddress, etag: str, now: datetime) -> datetime:
    """Note that a calendar was read, and what it gave; give since when it gives this (UTC).

    Of two different contents the later one's time is at least a second later: that is all that
    HTTP tells.
    """
    changed_at = address.changed_at
    if changed_at is None or address.etag != etag:
        changed_at = now.replace(microsecond=0)
        if address.changed_at is not None:
            changed_at = max(changed_at, address.changed_at + timedelta(seconds=1))
    read_before = address.last_read
    is_noted = read_before is not None and now - read_before < _NOTED_EVERY
    if changed_at != address.changed_at or not is_noted:
        row = CalendarAddress.objects.filter(pk=address.pk)
        row.update(etag=etag, changed_at=changed_at, last_read=now)
    return changed_at


def forget_of(account: Account) -> None:
    """Delete the address of an account's operator; call it where the account loses that."""
    if account.operator_id is not None:
        CalendarAddress.objects.filter(operator=account.operator_id).delete()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
