"""What an import would do is what it does; nothing that a file holds breaks it."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepstep.core.errors import UsageError
from keepstep.store import audit, operators
from keepstep.store.import_columns import TARGETS, Columns
from keepstep.store.import_files import Row, Table, read_upload
from keepstep.store.import_plan import Known, Outcome, Purpose, plan
from keepstep.store.imports import load, preview
from keepstep.store.models import Mailbox, Operator
from keepstep.store.operators import FIELDS, fields_of

FIELDS_ONLY: Columns = ("email", "name", "calendar_sync", "access_group", "time_zone")
ANNA = Known(
    1,
    {
        "email": "Anna@example.com",
        "name": "Anna",
        "calendar_sync": True,
        "access_group": "North",
        "time_zone": "UTC",
    },
)


def table(*rows: tuple[str, ...], heading: tuple[str, ...] = FIELDS_ONLY) -> Table:  # type: ignore[assignment]
    return Table(heading, tuple(Row(line, cells) for line, cells in enumerate(rows, start=2)))


def planned(*rows: tuple[str, ...], columns: Columns = FIELDS_ONLY, **purpose: Purpose):
    known = {"anna@example.com": ANNA}
    return plan(
        table(*rows, heading=tuple(each or "" for each in columns)),
        columns,
        purpose.get("purpose", Purpose.ADD_OR_UPDATE),
        known,
    )


def test_a_row_is_added_changed_left_or_refused_and_says_what_it_changes() -> None:
    decided = planned(
        ("bert@example.com", "Bert", "ja", "", ""),
        ("anna@example.com", "Anna", "", "North", ""),
        ("ANNA2@example.com", "", "maybe", "", ""),
        ("anna@EXAMPLE.com", "x", "", "", ""),
    )
    assert [row.outcome for row in decided.rows] == [
        Outcome.ADDED,
        Outcome.UNCHANGED,
        Outcome.REFUSED,
        Outcome.REFUSED,
    ]
    assert decided.rows[0].changes == {
        "email": (None, "bert@example.com"),
        "name": (None, "Bert"),
        "calendar_sync": (None, True),
        "access_group": (None, ""),
        "time_zone": (None, "UTC"),
    }
    assert decided.problems == {
        2: "calendar_sync: must be on or off (true or false), not 'maybe'",
        3: "email: stands in line 3 already",
    }
    (changed,) = planned(("anna@example.com", "Anna Berg", "WAHR", "South", "")).rows
    assert (changed.email, changed.key) == ("Anna@example.com", 1)
    assert changed.changes == {"name": ("Anna", "Anna Berg"), "access_group": ("North", "South")}


def test_first_and_last_name_make_the_name() -> None:
    columns: Columns = ("last_name", "email", None, "first_name")
    added, alone, changed = planned(
        ("Berg", "b@example.com", "x", " Eva "),
        ("Berg", "c@example.com"),
        ("", "anna@example.com", "x", "Anne"),
        columns=columns,
    ).rows
    assert added.changes["name"] == (None, "Eva Berg")
    assert alone.changes["name"] == (None, "Berg")
    assert changed.changes == {"name": ("Anna", "Anne")}


def test_a_cell_that_was_guarded_in_an_export_is_read_as_it_was() -> None:
    (row,) = planned(("'+1@example.com", "'=x", "", "", "")).rows
    assert row.changes["email"] == (None, "+1@example.com")
    assert row.changes["name"] == (None, "=x")


addresses = st.sampled_from(
    ["anna@example.com", "ANNA@example.com", "bert@example.com", "'=c@example.com", "bad", ""]
)
some_rows = st.lists(
    st.tuples(
        addresses,
        st.sampled_from(["", "Anna", "Bert", "a\nb"]) | st.text(max_size=5),
        st.sampled_from(["", "true", "no", "maybe"]),
        st.sampled_from(["", "North", "system"]),
        st.sampled_from(["", "europe/berlin", "Mars"]),
    ),
    max_size=6,
)


@pytest.mark.usefixtures("database")
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=some_rows, purpose=st.sampled_from(Purpose), all_or_nothing=st.booleans())
def test_an_import_does_what_its_preview_said_and_a_second_one_nothing(
    rows: list[tuple[str, ...]], purpose: Purpose, all_or_nothing: bool
) -> None:
    Operator.objects.all().delete()
    operators.add("Anna@example.com", {"name": "Anna"})
    said = preview(table(*rows), FIELDS_ONLY, purpose)
    before = {each.email: fields_of(each) for each in Operator.objects.all()}
    done = load(table(*rows), FIELDS_ONLY, purpose, name="x.csv", all_or_nothing=all_or_nothing)
    assert done.plan == said
    assert done.stored == (not all_or_nothing or not said.refusals)
    expected = {email: dict(fields) for email, fields in before.items()}
    for row in said.rows if done.stored else ():
        for name, (_, new) in row.changes.items():
            expected.setdefault(row.email, {})[name] = new
    assert {each.email: fields_of(each) for each in Operator.objects.all()} == expected
    assert Mailbox.objects.count() == Operator.objects.count()
    if done.stored and purpose is Purpose.ADD_OR_UPDATE:
        counts = load(table(*rows), FIELDS_ONLY, purpose, name="x.csv").plan.counts
        assert counts[Outcome.ADDED] == counts[Outcome.UPDATED] == 0


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    try:
        heading = read_upload("x.csv", content).heading
    except UsageError:
        heading = ("refused",)
    assert any(cell.strip() for cell in heading)


@pytest.mark.usefixtures("any_database")
def test_what_an_import_changed_is_noted_by_operator_and_as_a_whole() -> None:
    operators.add("anna@example.com", {})
    audit_before = len(audit.listing())
    rows = (("anna@example.com", "Anna", "on", "", ""), ("bert@example.com", "", "", "", ""))
    bad = ("bad", "", "", "", "")
    Mailbox.objects.update(next_attempt="2026-11-24T09:00:00Z")
    load(table(*rows, bad), FIELDS_ONLY, Purpose.ADD_OR_UPDATE, name="x.csv", by="a@example.com")
    whole, edit, add = audit.listing(limit=len(audit.listing()) - audit_before)
    assert (whole.by, whole.action, whole.subject) == ("a@example.com", "operators.import", "x.csv")
    assert whole.changes == {"added": (0, 1), "updated": (0, 1), "refused": (0, 1)}
    assert (edit.action, edit.subject) == ("operator.edit", "anna@example.com")
    assert edit.changes == {"name": ("", "Anna"), "calendar_sync": (False, True)}
    assert (add.action, add.subject) == ("operator.add", "bert@example.com")
    assert set(add.changes) == set(FIELDS)
    assert not Mailbox.objects.exclude(next_attempt=None).exists()


@pytest.mark.usefixtures("any_database")
def test_five_thousand_rows_are_previewed_quickly() -> None:
    rows = [
        (f"user{number}@example.com", f"Person {number}", "true", "North", "Europe/Berlin")
        for number in range(5000)
    ]
    load(table(*rows[:2500]), FIELDS_ONLY, Purpose.ADD, name="x.csv")
    changed = table(*((email, name, sync, "South", zone) for email, name, sync, _, zone in rows))
    begun = time.process_time()
    counts = preview(changed, FIELDS_ONLY, Purpose.ADD_OR_UPDATE).counts
    assert time.process_time() - begun < 0.5
    assert (counts[Outcome.ADDED], counts[Outcome.UPDATED]) == (2500, 2500)


def test_every_field_can_be_the_target_of_a_column() -> None:
    assert set(FIELDS) < set(TARGETS)
