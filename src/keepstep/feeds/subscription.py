"""What a subscription address gives: its calendar as it stands, and how to know it again.

Nobody sees more by an address than a colleague may: private appointments are blocked time in the
operator's own feed, too, whatever the setting `private_appointments` stores of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter

from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from keepstep import __version__
from keepstep.core.decisions import RowState
from keepstep.core.ical.events import Event, Window, events_of
from keepstep.core.ical.meetings import Copy
from keepstep.feeds.calendar_text import Feed, calendar_text
from keepstep.feeds.event_text import Person, Texts
from keepstep.store.calendar import FURTHEST
from keepstep.store.models import Appointment, CalendarAddress, Operator
from keepstep.store.rows import FILLED, unpack

MONTHS_BACK = 12
MONTHS_AHEAD = 24
# More make a calendar that nobody can read; as on the calendar page.
MOST_MEMBERS = 100
_CHUNK = 500


def window_of(now: datetime) -> Window:
    """Give what feeds hold: from the first of a month on, so that they stay alike for a month."""
    return Window(_month(now, -MONTHS_BACK), _month(now, MONTHS_AHEAD))


def _month(now: datetime, months: int) -> datetime:
    number = now.year * 12 + now.month - 1 + months
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A calendar to be read by its address, in some language."""

    name: str
    members: tuple[Operator, ...]
    is_team: bool
    texts: Texts
    window: Window

    @classmethod
    def of(cls, address: CalendarAddress, texts: Texts, now: datetime) -> Subscription:
        """Give what an address is of, as it stands at `now`."""
        if address.operator is not None:
            operator = address.operator
            return cls(operator.name or operator.email, (operator,), False, texts, window_of(now))
        group = address.access_group
        found = Operator.objects.filter(access_group=group).select_related("mailbox")
        members = tuple(found.order_by("email")[:MOST_MEMBERS])
        return cls(group, members, True, texts, window_of(now))

    def etag(self) -> str:
        """Give what tells this content from any other, from the rows as they are stored."""
        digest = hashlib.sha256()
        people = [(each.pk, each.email, each.name) for each in self.members]
        digest.update(repr((__version__, self.name, people, self.texts, self.window)).encode())
        rows = self._rows().values_list("pk", "mailbox_id", "state", "updated_at", *FILLED)
        for row in rows.iterator(chunk_size=_CHUNK):
            digest.update(repr(row).encode("utf-8", "replace"))
        return digest.hexdigest()[:32]

    def content(self) -> bytes:
        """Give the calendar as iCalendar, in UTF-8."""
        people = {each.pk: Person(each.name, each.email) for each in self.members}
        feed = Feed(
            self.name,
            self.texts,
            self.window.start.year,
            self.window.horizon.year,
            people if self.is_team else None,
        )
        return calendar_text(feed, self._events())

    def _events(self) -> Iterator[Event]:
        owners = {each.mailbox.pk: each for each in self.members}
        order = {each.pk: number for number, each in enumerate(self.members)}
        rows = self._rows().iterator(chunk_size=_CHUNK)
        for _, group in groupby(rows, key=attrgetter("uid")):
            copies = [_copy(row, owners[row.mailbox_id]) for row in group]
            copies.sort(key=lambda each: order[each.owner])
            yield from events_of(copies, self.window, _disguised)

    def _rows(self) -> QuerySet[Appointment]:
        early = self.window.start - FURTHEST
        ahead = Q(span_end__isnull=True) | Q(span_end__gte=early)
        mailboxes = [each.mailbox.pk for each in self.members]
        rows = Appointment.objects.filter(ahead, mailbox__in=mailboxes)
        return rows.exclude(state=RowState.REMOVED.value).order_by("uid", "pk")


def _copy(row: Appointment, owner: Operator) -> Copy:
    appointment, shown = unpack(row)
    changed = appointment.last_modified or row.updated_at
    return Copy(owner.pk, owner.email.casefold(), appointment, shown, changed)


def _disguised(uid: str) -> str:
    """Give a UID that stays the same and tells nothing: others may know the true one."""
    return salted_hmac("keepstep.calendar-address", uid, algorithm="sha256").hexdigest()[:40]
