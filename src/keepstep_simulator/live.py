"""The life of calendars: meetings made, moved, cancelled and deleted as time passes.

Every step is drawn from the seed, so that the same steps at the same times make the same story.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from keepstep_simulator import meetings
from keepstep_simulator.items import Item
from keepstep_simulator.model import MailboxModel
from keepstep_simulator.seed import Writer
from keepstep_simulator.series import occurrences
from keepstep_simulator.simulator import Simulator


@dataclass(frozen=True, slots=True)
class Deed:
    """What one step did: to whose calendar, what (``created``, ``moved``...), which subject."""

    at: datetime
    mailbox: str
    what: str
    subject: str


class Life:
    """Changes the calendars of a simulator, one step at a time."""

    def __init__(self, simulator: Simulator, seed: int | None = None) -> None:
        """Take the simulator, and a seed if it shall differ from the simulator's."""
        self._simulator = simulator
        self._random = Random(f"{simulator.seed if seed is None else seed}:live")
        self._writer = Writer(self._random, self._simulator.clock)
        self._deeds: Sequence[Callable[[MailboxModel], Deed | None]] = (
            self._create,
            self._create,
            self._invite,
            self._move,
            self._move,
            self._rename,
            self._change_occurrence,
            self._cancel,
            self._delete,
        )

    def step(self, count: int = 1) -> list[Deed]:
        """So many changes, in mailboxes drawn at random; what was not possible is drawn anew."""
        boxes = list(self._simulator.mailboxes.values())
        done: list[Deed] = []
        while boxes and len(done) < count:
            deed = self._random.choice(self._deeds)(self._random.choice(boxes))
            if deed is not None:
                done.append(deed)
        return done

    def _deed(self, mailbox: MailboxModel, what: str, subject: str | None) -> Deed:
        return Deed(self._simulator.clock(), mailbox.email, what, subject or "")

    def _ahead(self, mailbox: MailboxModel, *, series: bool) -> Item | None:
        now = self._simulator.clock().astimezone(UTC)
        ahead = [
            each
            for each in mailbox.items()
            if each.is_series == series and (series or each.start > now) and not each.cancelled
        ]
        return self._random.choice(ahead) if ahead else None

    def _create(self, mailbox: MailboxModel) -> Deed:
        item_id = mailbox.create(**self._writer.single(mailbox, ahead_only=True))
        return self._deed(mailbox, "created", mailbox.get(item_id).subject)

    def _invite(self, mailbox: MailboxModel) -> Deed | None:
        others = [each for each in self._simulator.mailboxes.values() if each is not mailbox]
        if not others:
            return None
        guests = self._random.sample(others, min(len(others), self._random.randint(1, 3)))
        item_id = mailbox.create(**self._writer.meeting(mailbox, guests, ahead_only=True))
        self._simulator.deliver(mailbox, item_id, "invite")
        return self._deed(mailbox, "invited", mailbox.get(item_id).subject)

    def _move(self, mailbox: MailboxModel) -> Deed | None:
        item = self._ahead(mailbox, series=False)
        if item is None or not item.is_organizer or item.all_day:
            return None
        by = timedelta(minutes=30 * self._random.randint(1, 8))
        mailbox.update(item.id, start=item.start + by, end=item.end + by)
        self._simulator.deliver(mailbox, item.id, "update")
        return self._deed(mailbox, "moved", item.subject)

    def _rename(self, mailbox: MailboxModel) -> Deed | None:
        item = self._ahead(mailbox, series=False)
        if item is None or not item.is_organizer:
            return None
        subject = self._writer.subject()
        mailbox.update(item.id, subject=subject)
        self._simulator.deliver(mailbox, item.id, "update")
        return self._deed(mailbox, "renamed", subject)

    def _change_occurrence(self, mailbox: MailboxModel) -> Deed | None:
        item = self._ahead(mailbox, series=True)
        if item is None:
            return None
        now = self._simulator.clock()
        mine = occurrences(item, now, now + timedelta(days=60))
        if not mine:
            return None
        chosen = self._random.choice(mine)
        assert chosen.original_start is not None
        if self._random.random() < 0.3:
            mailbox.delete_occurrence(item.id, chosen.original_start)
            return self._deed(mailbox, "occurrence deleted", item.subject)
        start = chosen.start + timedelta(minutes=30)
        mailbox.change_occurrence(item.id, chosen.original_start, start=start)
        return self._deed(mailbox, "occurrence moved", item.subject)

    def _cancel(self, mailbox: MailboxModel) -> Deed | None:
        item = self._ahead(mailbox, series=False)
        if item is None or not item.is_meeting:
            return None
        if item.is_organizer:
            meetings.deliver(self._simulator.mailboxes, mailbox, item.id, "cancel")
        mailbox.cancel(item.id)
        return self._deed(mailbox, "cancelled", item.subject)

    def _delete(self, mailbox: MailboxModel) -> Deed | None:
        item = self._ahead(mailbox, series=False)
        if item is None or item.is_meeting:
            return None
        mailbox.delete(item.id)
        return self._deed(mailbox, "deleted", item.subject)
