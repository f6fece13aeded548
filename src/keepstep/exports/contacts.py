"""Who met whom, and how often: the meetings of an operator, by the other people in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from keepstep.core.appointment import Response, Role
from keepstep.exports.columns import Line
from keepstep.exports.meetings import Met, is_external


@dataclass(slots=True)
class _Contact:
    email: str
    name: str
    first: datetime
    last: datetime
    meetings: int = 0
    minutes: int = 0


def lines(found: Iterable[Met]) -> Iterator[Line]:
    """Give the lines for the columns `CONTACTS` from meetings in the order of `met`.

    A meeting counts for its organizer and all who are invited, but rooms, the operator and those
    who declined; one that is cancelled, withheld or declined by the operator does not count. The
    most frequent come first.
    """
    for key, meetings in groupby(found, key=lambda each: each.operator.pk):
        contacts: dict[str, _Contact] = {}
        operator = None
        for each in meetings:
            operator = each.operator
            if not (each.is_withheld or each.is_declined or each.occurrence.is_cancelled):
                _count(each, contacts)
        assert operator is not None, key
        for contact in sorted(contacts.values(), key=lambda each: (-each.meetings, each.email)):
            yield (
                operator.email,
                operator.name,
                operator.access_group,
                contact.email,
                contact.name,
                is_external(contact.email, operator.email),
                contact.meetings,
                contact.minutes,
                contact.first,
                contact.last,
            )


def _count(meeting: Met, contacts: dict[str, _Contact]) -> None:
    start = meeting.occurrence.start
    for email, name in _people(meeting).items():
        contact = contacts.setdefault(email, _Contact(email, name, start, start))
        contact.name = contact.name or name
        contact.first, contact.last = min(contact.first, start), max(contact.last, start)
        contact.meetings += 1
        contact.minutes += meeting.minutes


def _people(meeting: Met) -> dict[str, str]:
    """Give the names of the other people by address, in lower case, each once."""
    details = meeting.details
    people: dict[str, str] = {}
    if details.organizer is not None:
        people[details.organizer.email.casefold()] = details.organizer.name
    for each in details.attendees:
        if each.role is not Role.RESOURCE and each.response is not Response.DECLINED:
            people.setdefault(each.email.casefold(), each.name)
    own = meeting.operator.email.casefold()
    return {email: name for email, name in people.items() if "@" in email and email != own}
