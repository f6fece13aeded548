"""What an operation is given: the request, the mailbox it is for, and where to note details."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lxml import etree

from keepstep_simulator.ews.envelope import Envelope, EwsError, T
from keepstep_simulator.ews.versions import ServerVersion
from keepstep_simulator.ids import is_well_formed, split_occurrence_id
from keepstep_simulator.items import Item, Occurrence
from keepstep_simulator.model import Clock, MailboxModel, NoSuchItem
from keepstep_simulator.series import as_occurrence, by_index

if TYPE_CHECKING:
    from keepstep_simulator.notifier import Notifier

DISTINGUISHED = ("calendar", "root", "msgfolderroot", "inbox", "deleteditems", "sentitems")


@dataclass(slots=True)
class Call:
    """One request on its way through an operation.

    ``mailbox`` is the impersonated one (or the caller's own); None if the caller has none.
    ``find_mailbox`` looks one up by address. ``user`` is who signed in, ``back_end`` the one that
    the request reached, ``now`` the simulator's ticks. What the log shall tell goes into
    ``details``.
    """

    envelope: Envelope
    server: ServerVersion
    rank: int
    mailbox: MailboxModel | None
    mailboxes: Mapping[str, MailboxModel]
    find_mailbox: Callable[[str], MailboxModel]
    notifier: Notifier
    clock: Clock
    user: str
    back_end: str
    now: float
    details: dict[str, Any] = field(default_factory=dict)
    deliver: Callable[[MailboxModel, str, str], None] = lambda *_: None

    @property
    def request(self) -> etree._Element:
        """The operation's element."""
        return self.envelope.body

    def own_mailbox(self) -> MailboxModel:
        """Give the mailbox that ids belong to. Raises EwsError if it is none or not ready."""
        if self.mailbox is None:
            raise EwsError("ErrorMissingEmailAddress")
        return ready(self.mailbox)

    def folder(self, element: etree._Element) -> tuple[MailboxModel, str]:
        """Mailbox and name of the folder that a FolderId or DistinguishedFolderId names."""
        wanted = element.get("Id", "")
        if element.tag == T + "DistinguishedFolderId":
            address = element.findtext(f"{T}Mailbox/{T}EmailAddress")
            mailbox = self.find_mailbox(address) if address else self.mailbox
            if mailbox is None:
                raise EwsError("ErrorMissingEmailAddress")
            if wanted not in DISTINGUISHED:
                raise EwsError("ErrorFolderNotFound")
            return ready(mailbox), wanted
        for mailbox in [self.mailbox] if self.mailbox else self.mailboxes.values():
            for name in DISTINGUISHED:
                if folder_id(mailbox, name) == wanted:
                    return ready(mailbox), name
        known = is_well_formed(wanted)
        raise EwsError("ErrorFolderNotFound" if known else "ErrorInvalidIdMalformed")

    def calendar(self, element: etree._Element | None) -> MailboxModel:
        """Give the mailbox whose calendar the one child of ``element`` names."""
        if element is None or len(element) == 0:
            raise EwsError("ErrorFolderNotFound")
        mailbox, name = self.folder(element[0])
        if name != "calendar":
            raise EwsError("ErrorFolderNotFound")
        return mailbox

    def target(self, element: etree._Element) -> Target:
        """Give what an ItemId, OccurrenceItemId or RecurringMasterItemId names. Raises EwsError."""
        if element.tag == T + "OccurrenceItemId":
            return self._indexed(element)
        if element.tag == T + "RecurringMasterItemId":
            parts = split_occurrence_id(element.get("OccurrenceId", ""))
            return self._whole(parts[0] if parts else element.get("OccurrenceId", ""))
        wanted = element.get("Id", "")
        if split_occurrence_id(wanted) is None:
            return self._whole(wanted)
        mailbox = self.own_mailbox()
        try:
            master, happening = mailbox.find_occurrence(wanted)
        except NoSuchItem:
            raise EwsError("ErrorItemNotFound") from None
        return Target(mailbox, master, happening)

    def _whole(self, item_id: str) -> Target:
        mailbox = self.own_mailbox()
        if item_id not in mailbox:
            known = is_well_formed(item_id)
            raise EwsError("ErrorItemNotFound" if known else "ErrorInvalidIdMalformed")
        return Target(mailbox, mailbox.get(item_id))

    def _indexed(self, element: etree._Element) -> Target:
        target = self._whole(element.get("RecurringMasterId", ""))
        if target.item.recurrence is None:
            raise EwsError("ErrorCalendarCannotUseIdForOccurrenceId")
        index = element.get("InstanceIndex", "")
        pair = by_index(target.item, int(index)) if index.lstrip("-").isdigit() else None
        if pair is None:
            raise EwsError("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange")
        if pair[0] in target.item.deleted_occurrences:
            raise EwsError("ErrorCalendarOccurrenceIsDeletedFromRecurrence")
        happening = as_occurrence(target.item, *pair)
        return Target(target.mailbox, target.item, happening)


@dataclass(frozen=True, slots=True)
class Target:
    """An item, and the occurrence of it if one is meant."""

    mailbox: MailboxModel
    item: Item
    happening: Occurrence | None = None


def ready(mailbox: MailboxModel) -> MailboxModel:
    """Give the mailbox, if it can be opened; else EwsError with its status."""
    if mailbox.status != "ready":
        raise EwsError(mailbox.status)
    return mailbox


def folder_id(mailbox: MailboxModel, name: str) -> str:
    """Give the id of one of a mailbox's folders."""
    return mailbox.folder_id if name == "calendar" else mailbox.ids.folder(name)
