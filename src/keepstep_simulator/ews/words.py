"""Values in the wire's spelling: instants, dates, durations, and the enumerations' words."""

from datetime import UTC, date, datetime, timedelta

SENSITIVITY = {
    "normal": "Normal",
    "personal": "Personal",
    "private": "Private",
    "confidential": "Confidential",
}
SHOW_AS = {
    "free": "Free",
    "tentative": "Tentative",
    "busy": "Busy",
    "out_of_office": "OOF",
    "working_elsewhere": "WorkingElsewhere",
    "no_data": "NoData",
}
RESPONSE = {
    "none": "NoResponseReceived",
    "unknown": "Unknown",
    "organizer": "Organizer",
    "tentative": "Tentative",
    "accepted": "Accept",
    "declined": "Decline",
}
IMPORTANCE = {"low": "Low", "normal": "Normal", "high": "High"}


def inverse(words: dict[str, str]) -> dict[str, str]:
    """From the wire's words to ours."""
    return {wire: ours for ours, wire in words.items()}


def instant(value: datetime) -> str:
    """Give an aware datetime as ``2026-11-24T09:00:00Z``."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wall_clock(value: datetime) -> str:
    """Give an aware datetime with the offset of its zone."""
    return value.isoformat(timespec="seconds")


def offset_of(value: datetime) -> str:
    """Give the offset of an aware datetime as ``+01:00``, or ``Z``."""
    minutes = round((value.utcoffset() or timedelta()).total_seconds() / 60)
    if not minutes:
        return "Z"
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def local_date(value: date, offset: str) -> str:
    """Give a date with an offset, ``2013-05-19+02:00``."""
    return f"{value.isoformat()}{offset}"


def duration(value: timedelta) -> str:
    """Give an xs:duration, as ``-PT1H30M``."""
    seconds = int(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    days, seconds = divmod(seconds, 86400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    time = "".join(f"{number}{unit}" for number, unit in parts if number)
    if days:
        return f"{sign}P{days}D" + (f"T{time}" if time else "")
    return f"{sign}PT{time or '0H'}"


def boolean(value: bool) -> str:
    """Give ``true`` or ``false``."""
    return "true" if value else "false"
