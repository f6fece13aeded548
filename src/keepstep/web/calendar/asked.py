"""What an address of the calendar asks for: days, time zone, view; read with suspicion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from keepstep.core.timezones import zone_exists

VIEWS = ("month", "week", "day", "agenda")
# Two months and the weeks about them: more than any view shows.
LONGEST = timedelta(days=62 + 14)
_YEARS = range(1901, 2199)
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(T[0-9:.]{0,15})?Z?")
_SECONDS = re.compile(r"-?[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is to show; "" for `view` leaves it to the width of the screen."""

    view: str
    day: str
    who: str
    zone: str
    cancelled: bool

    def query(self) -> str:
        """Give it as the query of an address."""
        asked = {"view": self.view, "date": self.day, "who": self.who, "zone": self.zone}
        chosen = {name: value for name, value in asked.items() if value}
        if self.cancelled:
            chosen["cancelled"] = "1"
        return urlencode(chosen)


def read(request: HttpRequest) -> Asked:
    """Read the query of a request; what can't be is left out."""
    get = request.GET.get
    view, day = get("view", ""), read_date(get("date", ""))
    return Asked(
        view=view if view in VIEWS else "",
        day=day.isoformat() if day else "",
        who=get("who", "")[:400],
        zone=zone_asked(request),
        cancelled=get("cancelled", "") == "1",
    )


def zone_asked(request: HttpRequest) -> str:
    """Give the IANA name of the zone that is asked for, "" for the calendar's own."""
    name = request.GET.get("zone", "")
    return name if zone_exists(name) else ""


def read_date(text: str) -> date | None:
    """Read a date, or the date of a date and time, in ISO 8601; None where it can't be."""
    match = _DATE.fullmatch(text)
    if not match:
        return None
    try:
        found = date.fromisoformat(match[1])
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def read_days(request: HttpRequest) -> tuple[date, date] | None:
    """Read `start` and `end` (exclusive); None unless they are some days apart, not too many."""
    first, last = (read_date(request.GET.get(name, "")) for name in ("start", "end"))
    if first is None or last is None or not timedelta(0) < last - first <= LONGEST:
        return None
    return first, last


def write_original(original: datetime) -> str:
    """Give the original start of an occurrence as it stands in an address: seconds since 1970."""
    return str(int(original.timestamp()))


def read_original(text: str) -> datetime | None:
    """Read the original start of an occurrence; None where it can't be."""
    if not _SECONDS.fullmatch(text):
        return None
    return datetime.fromtimestamp(int(text), UTC)


def today(now: datetime, zone: str) -> date:
    """Give the date of an instant (aware) in a zone."""
    return now.astimezone(ZoneInfo(zone)).date()
