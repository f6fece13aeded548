"""What an organizer's sending does in the mailboxes of those invited here."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from keepstep_simulator.items import Attendee, Item
from keepstep_simulator.model import MailboxModel

_SHARED = (
    "subject",
    "location",
    "body",
    "body_type",
    "start",
    "end",
    "start_zone",
    "end_zone",
    "all_day",
    "recurrence",
    "exceptions",
    "deleted_occurrences",
    "organizer",
    "sensitivity",
    "join_url",
)


def deliver(
    mailboxes: Mapping[str, MailboxModel], organizer: MailboxModel, item_id: str, what: str
) -> None:
    """Bring an invitation, an update or a cancellation to the attendees that have a mailbox.

    ``what`` is ``invite``, ``update`` or ``cancel``. Somebody newly invited gets the meeting by
    an update as well.
    """
    item = organizer.get(item_id)
    if not item.is_organizer:
        return
    for attendee in item.attendees:
        mailbox = mailboxes.get(attendee.email.lower())
        if mailbox is None or mailbox is organizer:
            continue
        _DEEDS[what](mailbox, item)


def _bring(mailbox: MailboxModel, item: Item) -> None:
    known = mailbox.by_uid(item.uid)
    if known is None:
        mailbox.create(uid=item.uid, **attendee_copy(item))
    else:
        mailbox.update(known.id, keep_exceptions=True, **_shared(item))


def _call_off(mailbox: MailboxModel, item: Item) -> None:
    known = mailbox.by_uid(item.uid)
    if known is not None:
        mailbox.cancel(known.id)


_DEEDS: dict[str, Callable[[MailboxModel, Item], None]] = {
    "invite": _bring,
    "update": _bring,
    "cancel": _call_off,
}


def _shared(item: Item) -> dict[str, Any]:
    fields = {name: getattr(item, name) for name in _SHARED}
    return {**fields, "attendees": with_organizer(item)}


def attendee_copy(item: Item, response: str = "none") -> dict[str, Any]:
    """Give the fields of a meeting as an attendee has it, before or after an answer."""
    answered = response in ("accepted", "organizer")
    return {
        **_shared(item),
        "is_organizer": False,
        "my_response": response,
        "show_as": "busy" if answered else "tentative",
    }


def with_organizer(item: Item) -> tuple[Attendee, ...]:
    """Give the attendees as one of them sees them: organizer first, others' answers unknown."""
    others = tuple(replace(each, response="none", responded=None) for each in item.attendees)
    if item.organizer is None:
        return others
    head = Attendee(item.organizer.name, item.organizer.email, response="organizer")
    return (head, *others)
