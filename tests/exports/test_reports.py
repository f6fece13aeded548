"""Exports read back: by csv, openpyxl and pyarrow, and compared with what the pages show."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from keepstep.core.appointment import Address, Attendee, Response, Role, Sensitivity
from keepstep.core.errors import UsageError
from keepstep.core.roles import Sight
from keepstep.exports.columns import CONTACTS, MEETINGS, Column, Kind
from keepstep.exports.files import ROWS_IN_A_GROUP, Format, write
from keepstep.exports.report import Kind as Which
from keepstep.exports.report import Report
from keepstep.store import calendar, seen
from keepstep.store.models import Operator
from keepstep.store.seen import SeenOperator
from tests.unit.core.builders import wall
from tests.web.calendars import (
    DAY,
    HOUR,
    SECRET,
    add_operator,
    all_day,
    changed,
    put,
    showcase,
    single,
    weekly,
)

MONDAY = date(2026, 11, 23)
TEN = datetime(2026, 11, 24, 9, tzinfo=UTC)
RITA = Attendee("Rita Hansen", "Rita@hansen.example", response=Response.ACCEPTED)


@pytest.fixture
def anna(any_database: str) -> Operator:
    return add_operator("anna@example.com", "Anna Adler", "West")


def made(
    members: Sequence[SeenOperator], kind: Which = Which.MEETINGS, form: Format = Format.PARQUET,
    *, first: date = MONDAY, days: int = 7, **more: Any,
) -> bytes:  # fmt: skip
    target = io.BytesIO()
    Report(kind, first, first + days * DAY, **more).write(members, form, target)
    return target.getvalue()


def rows(*operators: Operator, sight: Sight = Sight.ALL, **more: Any) -> list[dict[str, Any]]:
    """What a report has, read back from Parquet: the file that keeps types."""
    members = [SeenOperator(each, sight) for each in operators]
    return pq.read_table(io.BytesIO(made(members, **more))).to_pylist()


def test_a_meeting_is_a_line_with_typed_columns(anna: Operator) -> None:
    visit = single(
        "Visit", TEN, 2 * HOUR, location="Hamburg", organizer=Address("Rita Hansen", RITA.email),
        attendees=(
            Attendee("Anna", "ANNA@example.com", response=Response.ACCEPTED),
            Attendee("Ben", "ben@example.com"),
            Attendee("Room 5", "room5@example.com", Role.RESOURCE),
            Attendee("Tom", "tom@miller.example", Role.OPTIONAL),
        ),
        categories=("Key account",),
    )  # fmt: skip
    put(anna, visit)
    content = made([SeenOperator(anna, Sight.ALL)])
    schema = pq.read_schema(io.BytesIO(content))
    assert schema.field("start_utc").type == pa.timestamp("us", tz="UTC")
    assert schema.field("start_local").type == pa.timestamp("us")
    assert schema.field("duration_minutes").type == pa.int64()
    assert schema.field("attendees").type == pa.list_(pa.string())
    (line,) = rows(anna)
    assert line == {
        "operator": "anna@example.com",
        "operator_name": "Anna Adler",
        "access_group": "West",
        "subject": "Visit",
        "location": "Hamburg",
        "start_utc": TEN,
        "end_utc": TEN + 2 * HOUR,
        "start_local": wall("2026-11-24 10:00"),
        "end_local": wall("2026-11-24 12:00"),
        "time_zone": "Europe/Berlin",
        "duration_minutes": 120,
        "all_day": False,
        "organizer": "Rita@hansen.example",
        "organizer_name": "Rita Hansen",
        "attendee_count": 3,
        "attendees": ["ANNA@example.com", "ben@example.com", "tom@miller.example"],
        "external_attendees": ["Rita@hansen.example", "tom@miller.example"],
        "categories": ["Key account"],
        "show_as": "busy",
        "status": "confirmed",
        "private": False,
        "uid": "Visit",
        "recurrence_id": None,
    }


def test_all_day_is_by_its_dates_and_series_by_their_occurrences(anna: Operator) -> None:
    put(anna, all_day("Fair", MONDAY, 2))
    put(anna, changed(weekly("Call", TEN - 7 * DAY), 1, 3 * HOUR, subject="Call, moved"))
    fair, call = rows(anna)
    assert (fair["start_local"], fair["end_local"]) == (
        wall("2026-11-23"),
        wall("2026-11-25"),
    )
    assert (fair["duration_minutes"], fair["all_day"]) == (2 * 24 * 60, True)
    assert (call["subject"], call["start_utc"], call["recurrence_id"]) == (
        "Call, moved",
        TEN + 3 * HOUR,
        TEN,
    )


def test_each_meeting_belongs_to_the_day_it_begins_where_the_operator_is(anna: Operator) -> None:
    ben = add_operator("ben@example.com", "Ben", "West", "America/New_York")
    for each in (anna, ben):
        put(each, single("Late", datetime(2026, 11, 22, 23, 30, tzinfo=UTC), 2 * HOUR))
    assert [each["operator"] for each in rows(anna, ben)] == ["anna@example.com"]
    before = rows(anna, ben, first=MONDAY - 7 * DAY)
    assert [each["operator"] for each in before] == ["ben@example.com"]


@pytest.mark.parametrize("sight", [Sight.ALL, Sight.NOT_PRIVATE])
@pytest.mark.parametrize("include_cancelled", [False, True])
def test_a_report_shows_what_the_page_shows(
    anna: Operator, sight: Sight, include_cancelled: bool
) -> None:
    team = showcase(anna, MONDAY)
    put(
        anna,
        changed(weekly("Open", TEN), 0, HOUR, subject=SECRET, sensitivity=Sensitivity.PERSONAL),
    )
    members = [SeenOperator(each, sight) for each in team]
    found = Counter(
        (each["operator"], each["subject"], each["location"], each["start_utc"], each["status"])
        for each in rows(*team, sight=sight, include_cancelled=include_cancelled)
    )
    shown: Counter[tuple[Any, ...]] = Counter()
    for member in members:
        days = calendar.window(member.operator.time_zone, MONDAY, MONDAY + 7 * DAY)
        for entry in seen.entries([member], days, include_cancelled=include_cancelled):
            subject = "Private appointment" if entry.is_withheld else entry.subject
            status = "cancelled" if entry.is_cancelled else "confirmed"
            for time in entry.times:
                key = member.operator.email, subject, entry.location, time.start, status
                shown[key] += 1
    assert found == shown
    assert sum(found.values()) > 10


def test_of_what_is_private_nothing_but_the_time_is_in_any_file(anna: Operator) -> None:
    put(anna, single(
        SECRET, TEN, location=SECRET, sensitivity=Sensitivity.PRIVATE, categories=(SECRET,),
        organizer=Address(SECRET, f"{SECRET}@x.example"), attendees=(replace(RITA, name=SECRET),),
    ))  # fmt: skip
    blocked = [SeenOperator(anna, Sight.NOT_PRIVATE)]
    (line,) = rows(anna, sight=Sight.NOT_PRIVATE)
    assert SECRET not in repr(line)
    assert (line["subject"], line["private"], line["attendee_count"], line["uid"]) == (
        "Private appointment",
        True,
        0,
        "",
    )
    assert "hansen" not in repr(rows(anna, sight=Sight.NOT_PRIVATE, kind=Which.CONTACTS))
    assert SECRET.encode() not in made(blocked, form=Format.CSV)


def test_who_met_whom_and_how_often(anna: Operator) -> None:
    others = (RITA, Attendee("Ben", "ben@example.com"), Attendee("", "anna@example.com"))
    room = Attendee("Room 5", "room5@example.com", Role.RESOURCE)
    put(anna, weekly("Call", TEN, attendees=(*others, room)))
    put(anna, single("By Rita", TEN + DAY, organizer=Address("", "RITA@hansen.example")))
    no = Attendee("Tom", "tom@miller.example", response=Response.DECLINED)
    put(anna, single("Tom declined", TEN, attendees=(no,)))
    for uid, more in {
        "cancelled": {"cancelled": True},
        "declined": {"response": Response.DECLINED},
    }.items():
        put(anna, single(uid, TEN, attendees=(RITA,), **more))
    found = rows(anna, kind=Which.CONTACTS, days=14)
    assert [
        (each["contact"], each["contact_name"], each["external"], each["meetings"])
        for each in found
    ] == [("rita@hansen.example", "Rita Hansen", True, 3), ("ben@example.com", "Ben", False, 2)]
    assert [each["total_minutes"] for each in found] == [180, 120]
    assert (found[0]["first_start_utc"], found[0]["last_start_utc"]) == (TEN, TEN + 7 * DAY)


STARTS = ("=", "+", "-", "@", "\t", "\uff1d")
EVIL = ["=1+1", "#N/A", "@SUM(A1)", "+1", "-1", "\t=1", "\uff1d1", " =1", "plain"]


def test_no_cell_of_a_spreadsheet_is_a_formula(anna: Operator) -> None:
    for number, text in enumerate(EVIL):
        people = (Attendee(text, f"{text}@evil.example"),)
        put(anna, single(
            f"evil {number}", TEN, subject=text, location=text, categories=(text,),
            attendees=people, organizer=Address(text, f"{text}@evil.example"),
        ))  # fmt: skip
    members = [SeenOperator(anna, Sight.ALL)]
    for kind in Which:
        lines = list(csv.reader(io.StringIO(made(members, kind, Format.CSV).decode("utf-8-sig"))))
        book = load_workbook(io.BytesIO(made(members, kind, Format.XLSX)))
        cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
        assert not {cell.data_type for cell in cells} & {"f", "e"}
        texts = [each for line in lines for each in line]
        texts += [cell.value for cell in cells if isinstance(cell.value, str)]
        assert [each for each in texts if each.lstrip(" ").startswith(STARTS)] == []
    kept = rows(anna)
    assert sorted(each["subject"] for each in kept) == sorted(EVIL), "no spreadsheet reads this one"


def test_the_three_files_say_the_same(anna: Operator) -> None:
    team = [SeenOperator(each, Sight.ALL) for each in showcase(anna, MONDAY)]
    kept = pq.read_table(io.BytesIO(made(team))).to_pylist()
    text = made(team, form=Format.CSV).decode("utf-8-sig")
    for line, row in zip(csv.DictReader(io.StringIO(text)), kept, strict=True):
        assert datetime.fromisoformat(line["start_utc"]) == row["start_utc"]
        assert datetime.fromisoformat(line["start_local"]) == row["start_local"]
        assert int(line["attendee_count"]) == row["attendee_count"]
        assert line["all_day"] == str(row["all_day"]).lower()
        assert line["attendees"] == "; ".join(row["attendees"])
    sheet = load_workbook(io.BytesIO(made(team, form=Format.XLSX))).worksheets[0]
    heading, *values = sheet.iter_rows(values_only=True)
    assert heading == tuple(each.name for each in MEETINGS)
    for found, row in zip(values, kept, strict=True):
        line_of = dict(zip(heading, found, strict=True))
        assert line_of["start_utc"] == row["start_utc"].replace(tzinfo=None)
        assert line_of["all_day"] is row["all_day"]
        assert line_of["duration_minutes"] == row["duration_minutes"]


def test_large_files_are_written_line_by_line() -> None:
    """Parquet in groups of rows; a source that is asked for no more than was written."""
    columns = (Column("text", Kind.TEXT), Column("number", Kind.INTEGER))
    count = 2 * ROWS_IN_A_GROUP + 5
    target = io.BytesIO()
    write(columns, ((f"row {each}", each) for each in range(count)), Format.PARQUET, target)
    read = pq.ParquetFile(target)
    assert (read.metadata.num_rows, read.metadata.num_row_groups) == (count, 3)

    class Watched(io.BytesIO):
        """Notes how much is written when the last line is asked for."""

        before_the_end = 0

    for form in (Format.CSV, Format.PARQUET):
        watched = Watched()

        def lines(target: Watched = watched) -> Any:
            for each in range(count):
                yield f"row {each}", each
            target.before_the_end = len(target.getvalue())

        write(columns, lines(), form, watched)
        assert watched.before_the_end > 0.4 * len(watched.getvalue()), form


def test_a_file_without_lines_has_its_columns(anna: Operator) -> None:
    members = [SeenOperator(anna, Sight.ALL)]
    for kind, columns in ((Which.MEETINGS, MEETINGS), (Which.CONTACTS, CONTACTS)):
        names = [each.name for each in columns]
        assert pq.read_table(io.BytesIO(made(members, kind))).column_names == names
        text = made(members, kind, Format.CSV).decode("utf-8-sig")
        assert text == ",".join(names) + "\r\n"
        book = load_workbook(io.BytesIO(made(members, kind, Format.XLSX)))
        assert [cell.value for cell in book.worksheets[0][1]] == names


def test_what_no_file_can_hold_is_marked_and_stops_nothing() -> None:
    columns = (Column("text", Kind.TEXT), Column("texts", Kind.TEXTS))
    lines = [("bell \x07, half \ud83d.", ("half \ud83d.", "x" * 40_000))]
    files = {}
    for form in Format:
        target = io.BytesIO()
        write(columns, lines, form, target)
        files[form] = target
    (kept,) = pq.read_table(files[Format.PARQUET]).to_pylist()
    assert (kept["text"], kept["texts"][0]) == ("bell \x07, half ?.", "half ?.")
    sheet = load_workbook(files[Format.XLSX]).worksheets[0]
    assert sheet["A2"].value == "bell \ufffd, half \ufffd."
    assert len(sheet["B2"].value) == 32_767
    assert b"half ?." in files[Format.CSV].getvalue()


def test_more_meetings_than_are_let_through_are_refused(anna: Operator) -> None:
    for hour in range(4):
        put(anna, single(f"m{hour}", TEN + hour * HOUR))
    with pytest.raises(UsageError, match="more than 3 meetings"):
        made([SeenOperator(anna, Sight.ALL)], most=3)
    assert len(rows(anna, most=4)) == 4
