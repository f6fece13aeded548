"""Who changed what, and when: written in the transaction of the change itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from keepstep.store.models import AuditEntry

COMMAND_LINE = "command line"
CHANGED: Literal["changed"] = "changed"
ERASED = "erased"
# Of a person's own: what an erased operator's entries keep only as a word.
_PERSONAL = frozenset({"email", "name"})
_BATCH = 500

# By field: (old, new) as JSON has them, or only that a secret one was changed.
Change = tuple[object, object] | Literal["changed"]
Changes = Mapping[str, Change]


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """One change as a person sees it: its number, when (UTC), by whom, of what, from and to.

    `changes` is by field: (old, new), or the word "changed" for a secret.
    """

    number: int
    at: datetime
    by: str
    action: str
    subject: str
    changes: dict[str, Change]


def record(by: str, action: str, subject: str, changes: Changes) -> None:
    """Note one change; call it in the transaction of the change.

    `by` is an account's e-mail address or `COMMAND_LINE`. Secrets never come here: for one of
    them the change is `CHANGED`.
    """
    record_many(by, action, [(subject, changes)])


def record_many(by: str, action: str, of: Iterable[tuple[str, Changes]]) -> None:
    """Note one change of the same kind for each pair of subject and changes."""
    entries = [
        AuditEntry(by=by, action=action, subject=subject, changes=_plain(changes))
        for subject, changes in of
    ]
    AuditEntry.objects.bulk_create(entries, batch_size=_BATCH)


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, Change]:
    """Give the fields of `after` that are not as before, each with (old, new)."""
    return {
        name: (before.get(name), value)
        for name, value in after.items()
        if before.get(name) != value
    }


def listing(
    before: int | None = None, limit: int = 50, subject: str | None = None
) -> list[ShownEntry]:
    """Give the latest entries, the newest first, at most `limit`.

    `before` gives those with a smaller number (the next page), `subject` those of one subject.
    """
    entries = AuditEntry.objects.order_by("-pk")
    if before is not None:
        entries = entries.filter(pk__lt=before)
    if subject is not None:
        entries = entries.filter(subject=subject)
    return [_shown(each) for each in entries[:limit]]


def pseudonym(operator_key: int) -> str:
    """Give what stands for an erased operator: it tells nothing, and is no other operator's."""
    return f"erased operator {operator_key}"


def forget(emails: Iterable[str], stand_in: str) -> None:
    """Put the stand-in wherever the addresses, all of one operator, or former ones are named.

    Of the entries about that operator, the name goes too. Call it in the transaction of the
    erasure.
    """
    addresses = _addresses(emails)
    mentions = re.compile(
        "|".join(rf"(?<![\w.+-]){re.escape(each)}(?![\w-])" for each in sorted(addresses)), re.I
    )
    changed = []
    for entry in AuditEntry.objects.iterator(chunk_size=_BATCH):
        old = (entry.by, entry.subject, entry.changes)
        if entry.subject.lower() in addresses:
            entry.changes = {name: _impersonal(name, each) for name, each in entry.changes.items()}
        entry.by = mentions.sub(stand_in, entry.by)
        entry.subject = mentions.sub(stand_in, entry.subject)
        entry.changes = _replaced(entry.changes, mentions, stand_in)
        if (entry.by, entry.subject, entry.changes) != old:
            changed.append(entry)
    AuditEntry.objects.bulk_update(changed, ["by", "subject", "changes"], batch_size=_BATCH)


def _addresses(emails: Iterable[str]) -> set[str]:
    """Give the addresses with those that the operator had before, in lower case."""
    known = {each.lower() for each in emails}
    renamed = AuditEntry.objects.filter(action="operator.edit", changes__has_key="email")
    for entry in renamed.order_by("-pk"):
        change = entry.changes["email"]
        if isinstance(change, list) and str(change[1]).lower() in known:
            known.add(str(change[0]).lower())
    return known


def _impersonal(name: str, change: object) -> object:
    return [ERASED, ERASED] if name in _PERSONAL else change


def _replaced(value: Any, mentions: re.Pattern[str], stand_in: str) -> Any:
    if isinstance(value, str):
        return mentions.sub(stand_in, value)
    if isinstance(value, list):
        return [_replaced(each, mentions, stand_in) for each in value]
    if isinstance(value, dict):
        return {name: _replaced(each, mentions, stand_in) for name, each in value.items()}
    return value


def _plain(changes: Changes) -> dict[str, object]:
    return {name: each if each == CHANGED else list(each) for name, each in changes.items()}


def _shown(entry: AuditEntry) -> ShownEntry:
    changes: dict[str, Change] = {
        name: (each[0], each[1]) if isinstance(each, list) else CHANGED
        for name, each in entry.changes.items()
    }
    return ShownEntry(entry.pk, entry.at, entry.by, entry.action, entry.subject, changes)
