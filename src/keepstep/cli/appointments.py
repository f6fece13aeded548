"""`keepstep appointments`: the sales calendar of an operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import click

from keepstep.cli.database import needs_database
from keepstep.cli.days import Day
from keepstep.cli.output import fit, print_json, safe
from keepstep.core.errors import UsageError

_NARROWEST = 60
_WIDEST = 160


@click.command()
@click.option("--operator", "email", metavar="EMAIL", help="Whose calendar.")
@click.option("--team", "group", metavar="GROUP", help="An access group: each meeting once.")
@click.option("--from", "first", metavar="DATE", type=Day(), help="First day; default today.")
@click.option("--to", "last", metavar="DATE", type=Day(), help="Day after the last; +31 days.")
@click.option("--include-cancelled", is_flag=True, help="Cancelled ones too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def appointments(
    email: str | None,
    group: str | None,
    first: date | None,
    last: date | None,
    include_cancelled: bool,
    as_json: bool,
) -> None:
    """Show an operator's or a team's calendar, series expanded, in order of start.

    Dates are those of the operator's time zone, a team's those of its first operator.
    """
    from keepstep.store import calendar
    from keepstep.store.operators import find

    if (email is None) == (group is None):
        raise UsageError("name either --operator EMAIL or --team GROUP.")
    members = calendar.team(group) if group is not None else [find(email or "")]
    first = first or calendar.today(members[0], datetime.now(UTC))
    last = last or first + timedelta(days=calendar.DAYS_AHEAD)
    if last <= first:
        raise UsageError(f"--to ({last}) must be later than --from ({first}).")
    zone = members[0].time_zone
    if group is None:
        whose = members[0].email
        found = calendar.entries(whose, first, last, include_cancelled=include_cancelled)
    else:
        whose = f"team {group}"
        found = calendar.team_entries(
            members, zone, first, last, include_cancelled=include_cancelled
        )
    if as_json:
        print_json(found)
        return
    until = last - timedelta(days=1)
    click.echo(f"Calendar of {safe(whose)}, {first} to {until}, times of {zone}")
    for line in calendar_lines(found, ZoneInfo(zone), first, _columns()):
        click.echo(line)


def calendar_lines(
    entries: Sequence[dict[str, Any]], zone: ZoneInfo, first: date, columns: int
) -> list[str]:
    """Give the lines of a calendar, grouped by day; `first` is the window's first day."""
    if not entries:
        return ["", "No appointments."]
    days = [(max(_day(each, zone), first), each) for each in entries]
    days.sort(key=lambda pair: (pair[0], not pair[1]["all_day"]))
    lines: list[str] = []
    for day, group in groupby(days, key=lambda pair: pair[0]):
        lines += ["", f"{day:%A} {day}"]
        lines += [_line(entry, day, zone, columns) for _, entry in group]
    return lines


def _line(entry: dict[str, Any], day: date, zone: ZoneInfo, columns: int) -> str:
    marks = _marks(entry)
    room = columns - 17
    subject_room = room * 3 // 5
    subject = fit((entry["subject"] or "(no subject)") + marks, subject_room)
    location = fit(entry["location"], room - subject_room - 2)
    return f"  {_times(entry, day, zone):13}  {subject}  {location}".rstrip()


def _marks(entry: dict[str, Any]) -> str:
    marks = [entry["status"]] if entry["status"] == "cancelled" else []
    if entry["recurrence_id"]:
        marks.append("series")
    if len(entry.get("operators", ())) > 1:
        marks.append(f"{len(entry['operators'])} operators")
    marks += entry.get("warnings", ())
    return f" [{', '.join(marks)}]" if marks else ""


def _times(entry: dict[str, Any], day: date, zone: ZoneInfo) -> str:
    if entry["all_day"]:
        return "all day"
    start, end = (datetime.fromisoformat(entry[name]).astimezone(zone) for name in ("start", "end"))
    begins = f"{start:%H:%M}" if start.date() == day else f"from {start:%m-%d}"
    later = (end.date() - day).days
    ends = f"{end:%H:%M}" + (f" +{later}d" if later > 0 else "")
    return f"{begins}-{ends}"


def _day(entry: dict[str, Any], zone: ZoneInfo) -> date:
    if entry["all_day"]:
        return date.fromisoformat(entry["start"][:10])
    return datetime.fromisoformat(entry["start"]).astimezone(zone).date()


def _columns() -> int:
    import shutil

    return min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST)
