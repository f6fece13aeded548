"""Mappings of columns that are kept under a name, for files that come in the same form again."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from keepstep.core.errors import UsageError
from keepstep.store import audit
from keepstep.store.fields import did_you_mean, read_line, shown
from keepstep.store.models import ImportMapping

LONGEST_NAME = 60
MOST = 200


def listing() -> list[ImportMapping]:
    """Give the saved mappings, in the order of their names."""
    return list(ImportMapping.objects.order_by("name"))


def find(name: str) -> ImportMapping:
    """Give the mapping of this name, in any case. Raises UsageError that names the likeliest."""
    names = {each.casefold(): each for each in ImportMapping.objects.values_list("name", flat=True)}
    wanted = " ".join(name.casefold().split())
    known = names.get(wanted)
    if known is None:
        near = did_you_mean(wanted, names)
        hint = f"; did you mean {names[near]}?" if near else "."
        raise UsageError(f"no mapping is called {shown(name)}{hint}")
    return ImportMapping.objects.get(name=known)


def save(
    name: str, columns: Mapping[str, str | None], *, by: str = audit.COMMAND_LINE
) -> ImportMapping:
    """Keep a mapping (see `import_columns.to_save`), in place of one of the same name.

    Raises UsageError for a name of no use.
    """
    called = _name(name)
    with transaction.atomic():
        known = ImportMapping.objects.filter(name__iexact=called).first()
        if known is None and ImportMapping.objects.count() >= MOST:
            raise UsageError(f"there are {MOST} mappings already: delete one first.")
        before = known.columns if known else None
        kept = known or ImportMapping(name=called)
        kept.columns = dict(columns)
        kept.save()
        if before != kept.columns:
            audit.record(by, "mapping.save", kept.name, {"columns": (before, kept.columns)})
    return kept


def delete(name: str, *, by: str = audit.COMMAND_LINE) -> None:
    """Delete a mapping. Raises UsageError as `find` does."""
    with transaction.atomic():
        known = find(name)
        audit.record(by, "mapping.delete", known.name, {"columns": (known.columns, None)})
        known.delete()


def _name(text: str) -> str:
    try:
        name = " ".join(read_line(text).split())
    except ValueError as error:
        raise UsageError(f"the mapping's name {error}.") from None
    if not name or len(name) > LONGEST_NAME:
        raise UsageError(f"the mapping's name must have 1 to {LONGEST_NAME} characters.")
    return name
