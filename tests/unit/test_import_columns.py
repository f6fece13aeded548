"""Which column is which field: as named, guessed from headings and cells, or said."""

from __future__ import annotations

import pytest

from keepstep.core.errors import UsageError
from keepstep.store.import_columns import by_saved, check, guess, to_save
from keepstep.store.import_files import Row, Table


def table(*heading: str, rows: tuple[tuple[str, ...], ...] = ()) -> Table:
    return Table(heading, tuple(Row(line, cells) for line, cells in enumerate(rows, start=2)))


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        (
            ("email", "name", "calendar_sync", "access_group", "time_zone"),
            ("email", "name", "calendar_sync", "access_group", "time_zone"),
        ),
        (
            ("E-Mail-Adresse", "Vorname", "Nachname", "Kalenderabgleich", "Gruppe", "Zeitzone"),
            ("email", "first_name", "last_name", "calendar_sync", "access_group", "time_zone"),
        ),
        (
            ("PrimarySmtpAddress", "DisplayName", "Department", "Phone"),
            ("email", "name", "access_group", None),
        ),
        (("Vollständiger Name", " E\u2011MAIL "), ("name", "email")),
        (("e-mail", "Mail", "Name", "First name"), ("email", None, "name", None)),
    ],
)
def test_headings_are_known_in_english_and_german(
    heading: tuple[str, ...], columns: tuple[str | None, ...]
) -> None:
    assert guess(table(*heading)) == columns


def test_the_address_is_known_by_its_cells_where_no_heading_tells() -> None:
    rows = (("Anna", "anna@example.com"), ("Bert", "bert@example.com"), ("C", ""))
    assert guess(table("Wer", "Kontakt", rows=rows)) == (None, "email")
    assert guess(table("Wer", "Was", rows=(("a", "b"),))) == (None, None)


def test_a_saved_mapping_goes_before_what_a_heading_seems_to_be() -> None:
    saved = to_save(("Mail", "Name", "Team"), ("email", None, "name"))
    assert saved == {"mail": "email", "name": None, "team": "name"}
    assert guess(table("TEAM", "mail ", "Name", "Zeitzone"), saved) == (
        "name",
        "email",
        None,
        "time_zone",
    )
    assert by_saved(("Team", "Mail", "Zeitzone"), saved) == ("name", "email", None)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (("email",), "the file has 2 columns: say what each one is."),
        (("email", "phone"), "a column can't be 'phone'; there are email, name"),
        (("email", "emial"), "a column can't be 'emial'; did you mean email?"),
        (("email", "email"), "two columns can't both be email."),
        (("name", None), "one column must be the e-mail address"),
    ],
)
def test_columns_that_cannot_be_are_refused(columns: tuple[str | None, ...], reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        check(("a", "b"), columns)
    assert reason in str(refused.value)


def test_a_whole_name_and_parts_of_one_are_not_taken_together() -> None:
    with pytest.raises(UsageError, match="name is the whole name"):
        check(("a", "b", "c"), ("email", "name", "last_name"))
    assert check(("a", "b", "c"), ("email", "", "last_name")) == ("email", None, "last_name")
