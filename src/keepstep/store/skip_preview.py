"""What conditions not saved yet would take out of what is stored."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from keepstep.core.appointment import Sensitivity
from keepstep.core.errors import UsageError
from keepstep.core.rules import Rule
from keepstep.core.skip import NOT_OPEN, PRIVATE_SUBJECT, Conditions, Policy, loosened
from keepstep.store import settings
from keepstep.store.fields import did_you_mean, shown
from keepstep.store.models import LeftOut, Operator
from keepstep.store.skip_rows import MatchingRow, matching_rows

PREVIEWED = (*sorted(settings.SKIP), "past_days")
MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """An appointment that would go. `start` (UTC) is that of a series' first occurrence.

    `subject` of one that is not open is only that it is private. `rule` is the condition.
    """

    operator: str
    uid: str
    subject: str
    start: datetime
    is_series: bool
    rule: Rule


@dataclass(frozen=True, slots=True)
class Preview:
    """What would go of what is stored, and how many mailboxes would be read whole.

    `entries` are the first by start, at most as many as were asked for; `by_rule` counts all.
    """

    count: int
    operators: int
    by_rule: Mapping[Rule, int]
    full_rounds: int
    entries: tuple[Entry, ...]


def prospective(values: Mapping[str, str]) -> Policy:
    """Give the policy that would hold with these settings, by name; the others as they are.

    Nothing is stored. Raises UsageError for a value that is refused, and for a setting that is
    neither a condition nor `past_days`.
    """
    for name in values:
        if name not in PREVIEWED:
            near = did_you_mean(name, PREVIEWED)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(PREVIEWED)}"
            raise UsageError(f"{shown(name)} can't be previewed; {hint}")
    checked = settings.check(values)
    return replace(settings.load(with_secrets=False), **checked).policy  # type: ignore[arg-type]


def preview(
    conditions: Conditions, operator: Operator | None = None, most: int = MOST_ENTRIES
) -> Preview:
    """Give what would go, of all operators or of one, were these conditions saved now."""
    by_rule: Counter[Rule] = Counter()
    operators: set[int] = set()
    found = []
    for row in matching_rows(conditions, operator):
        by_rule[row.rule] += 1
        operators.add(row.mailbox_id)
        found.append(row)
    earliest = heapq.nsmallest(most, found, key=lambda row: (row.start, row.operator, row.id))
    return Preview(
        count=by_rule.total(),
        operators=len(operators),
        by_rule=dict(by_rule.most_common()),
        full_rounds=_full_rounds(conditions, operator),
        entries=tuple(_entry(row) for row in earliest),
    )


def open_subject(subject: str, sensitivity: Sensitivity) -> str:
    """Give a subject as everybody may see it."""
    return PRIVATE_SUBJECT if sensitivity in NOT_OPEN else subject


def _entry(row: MatchingRow) -> Entry:
    subject = open_subject(row.subject, row.sensitivity)
    return Entry(row.operator, row.uid, subject, row.start, row.is_series, row.rule)


def _full_rounds(conditions: Conditions, operator: Operator | None) -> int:
    now = settings.load(with_secrets=False).policy.conditions
    rules = [each.value for each in loosened(now, conditions)]
    left_out = LeftOut.objects.filter(rule__in=rules)
    if operator is not None:
        left_out = left_out.filter(mailbox__operator=operator)
    return left_out.values("mailbox_id").distinct().count()
