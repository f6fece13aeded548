"""The stored appointments that conditions would leave out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from keepstep.core.appointment import Details, Response, Sensitivity, ShowAs
from keepstep.core.decisions import RowState, Version
from keepstep.core.pack import unpack_details
from keepstep.core.rules import Rule
from keepstep.core.skip import Conditions, Traits, condition_met
from keepstep.store.models import Appointment, Operator

_SHOWN = [each.value for each in (RowState.LIVE, RowState.PENDING, RowState.HELD, RowState.KEPT)]
_COLUMNS = (
    "id",
    "mailbox_id",
    "uid",
    "item_id",
    "change_key",
    "last_modified",
    "start",
    "subject",
    "people",
    "show_as",
    "sensitivity",
    "all_day",
    "series",
    "mailbox__operator__email",
)
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class MatchingRow:
    """A row of the calendar that a condition, as a rule, would leave out. `start` is UTC."""

    id: int
    mailbox_id: int
    operator: str
    uid: str
    version: Version
    start: datetime
    subject: str
    sensitivity: Sensitivity
    is_series: bool
    rule: Rule


def matching_rows(
    conditions: Conditions, operator: Operator | None = None
) -> Iterator[MatchingRow]:
    """Give the rows, of all operators or of one, that the conditions leave out.

    Only what is ahead: it ends after the mailbox's last success, before the first one after the
    cutoff. What was over by then stands, whatever it is.
    """
    if not conditions:
        return
    rows = _ahead().filter(_may_match(conditions))
    if operator is not None:
        rows = rows.filter(mailbox__operator=operator)
    for row in rows.order_by("id").values_list(*_COLUMNS).iterator(chunk_size=_CHUNK):
        (id_, mailbox_id, uid, item_id, change_key, modified, start) = row[:7]
        (subject, people, show_as, sensitivity, all_day, series, email) = row[7:]
        told = unpack_details(json.loads(people)) if people else _NOTHING_TOLD
        kept = Sensitivity(sensitivity)
        traits = Traits(
            subject, told.categories, ShowAs(show_as), kept, told.response, bool(all_day)
        )
        rule = condition_met(traits, conditions)
        if rule is not None:
            version = (item_id, change_key, modified)
            yield MatchingRow(
                id_, mailbox_id, email, uid, version, start, subject, kept, bool(series), rule
            )


_NOTHING_TOLD = Details()


def _ahead() -> QuerySet[Appointment]:
    boundary = Coalesce(F("mailbox__last_success"), F("mailbox__cutoff"))
    ahead = Q(span_end__isnull=True) | Q(span_end__gt=boundary)
    return Appointment.objects.filter(ahead, part=0, state__in=_SHOWN)


def _may_match(conditions: Conditions) -> Q:
    """Narrow down in the database, so far as it sees what the conditions look at."""
    wanted = Q(pk__in=[])
    if conditions.subject_contains:
        # How a database compares letters of any script is its own; we compare.
        wanted |= ~Q(subject="")
    if conditions.categories:
        wanted |= Q(people__contains='"c":')
    if conditions.declined:
        wanted |= Q(people__contains=f'"{Response.DECLINED.value}"')
    if conditions.all_day:
        wanted |= Q(all_day=True)
    wanted |= Q(show_as__in=[each.value for each in conditions.show_as])
    return wanted | Q(sensitivity__in=[each.value for each in conditions.sensitivities])
