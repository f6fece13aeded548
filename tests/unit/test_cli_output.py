"""What is printed for people: safe, in columns, grouped by day."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from keepstep.cli.appointments import calendar_lines
from keepstep.cli.output import fit, safe, width

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain ä 漢 \U0001f680", "plain ä 漢 \U0001f680"),
        ("\x1b[2Jgone", "\ufffd[2Jgone"),
        ("\x9b31m", "\ufffd31m"),
        ("two\r\nlines\tapart", "two  lines apart"),
        ("txt.\u202eexe", "txt.\ufffdexe"),
        ("half \ud800 a pair", "half \ufffd a pair"),
        ("\u2028\u2029\0\x07", "\ufffd" * 4),
    ],
)
def test_nothing_in_a_text_steers_the_terminal(text, expected):
    assert safe(text) == expected


@pytest.mark.parametrize("text", ["", "abc", "漢字漢字", "e\u0301" * 9, "a" * 50, "漢" * 20])
def test_a_cell_is_as_wide_as_its_column(text):
    assert width(fit(text, 7)) == 7


def entry(start, end, subject, **more):
    plain = {"all_day": False, "location": "", "status": "confirmed", "recurrence_id": None}
    return {**plain, "start": start, "end": end, "subject": subject, **more}


def test_a_calendar_is_grouped_by_the_days_of_the_operator():
    entries = [
        entry("2026-11-22", "2026-11-26", "Fair", all_day=True),
        entry("2026-11-24T23:30:00Z", "2026-11-25T00:30:00Z", "Late call", location="Phone"),
        entry("2026-11-25T08:00:00Z", "2026-11-26T07:00:00Z", "Night", status="cancelled"),
    ]
    assert calendar_lines(entries, BERLIN, date(2026, 11, 24), 80) == [
        "",
        "Tuesday 2026-11-24",
        "  all day        Fair",
        "",
        "Wednesday 2026-11-25",
        "  00:30-01:30    Late call                              Phone",
        "  09:00-08:00 +1d  Night [cancelled]",
    ]


def test_an_empty_calendar_says_so():
    assert calendar_lines([], BERLIN, date(2026, 11, 24), 80)[-1] == "No appointments."
