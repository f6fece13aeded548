"""What a decision is about, and what it says: rows as known, and what becomes of them.

The words of `reconcile`, as values that tests compare and `store.apply` carries out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from keepstep.core.appointment import Appointment
from keepstep.core.record import ALL, Shown
from keepstep.core.rules import Rule
from keepstep.core.skip import Policy


class RowState(StrEnum):
    """Where an appointment's row stands.

    `live`: in the calendar. `pending`: deleted in Exchange, the round not settled yet. `held`: its
    removal is held. `kept`: a discarded hold, no longer in Exchange. `record`: the past of a
    series as it was. `removed`: in no view. All but `removed` are shown.
    """

    LIVE = "live"
    PENDING = "pending"
    HELD = "held"
    KEPT = "kept"
    RECORD = "record"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row of the store: the appointment as known, and which of its occurrences it shows."""

    id: int
    state: RowState
    appointment: Appointment
    shown: Shown = ALL


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A record of a series' past: the version that it keeps, and what it shows of it."""

    id: int
    appointment: Appointment
    shown: Shown


# Item id, change key, last-modified time: what a listing tells of an item's version.
Version = tuple[str, str, datetime | None]


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a page is reconciled: boundary (UTC), policy, and what was left out before.

    `left_out` are the versions of items that were read once and left out, with the rule: they
    were over, or met a condition. A listing tells neither when a series ends nor what a condition
    looks at, so they would be read at each comparison again.
    """

    boundary: datetime
    policy: Policy = field(default_factory=Policy)
    left_out: Mapping[Version, Rule] = field(default_factory=dict)


class What(StrEnum):
    """What was done with an item, as the history and the counts tell it."""

    CREATED = "created"
    UPDATED = "updated"
    CANCELLED = "cancelled"
    REVIVED = "revived"
    REMOVING = "removing"
    REMOVED = "removed"
    HELD = "held"
    SKIPPED = "skipped"
    LEFT = "left"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Put:
    """Write the appointment to the row (None: a new one), which is then live.

    `record` is what a copy of the row as it was goes on showing. `overtaken` are earlier records
    that show less from now on. `scrub`: the row's earlier details are to be wiped out wherever
    they are kept.
    """

    row: KnownRow | None
    appointment: Appointment
    shown: Shown
    what: What
    rule: Rule
    record: Shown | None = None
    overtaken: tuple[KnownRecord, ...] = ()
    scrub: bool = False


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing but the item's version changed: note it; the row is live and was listed."""

    row: KnownRow
    item_id: str
    change_key: str
    last_modified: datetime | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Set the row's state. `shown` is set when a series' past stays as a record.

    `scrub`: its details are to be wiped out wherever they are kept; with `now`, the meeting as it
    is, only as far as that withholds them. `overtaken` as in `Put`. `version` is that of an item
    that is left out though it is in Exchange.
    """

    row: KnownRow
    state: RowState
    what: What
    rule: Rule
    shown: Shown | None = None
    scrub: bool = False
    now: Appointment | None = None
    overtaken: tuple[KnownRecord, ...] = ()
    version: Version | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Nothing to write but the history: an item passed over, and the rule that decided.

    `row` is the row that stands, if there is one; `version` is that of an item left out only
    after it was read.
    """

    item_id: str
    uid: str
    what: What
    rule: Rule
    row: KnownRow | None = None
    version: Version | None = None


@dataclass(frozen=True, slots=True)
class SetAside:
    """Put the item into quarantine."""

    item_id: str
    uid: str
    code: str
    detail: str


Decision = Put | Keep | Mark | Note | SetAside
