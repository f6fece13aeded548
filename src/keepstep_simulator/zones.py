"""Time zones as Exchange knows them: a Windows id, and rules for the wire.

Named zones take their offsets from the tz database; custom zones ("Customized Time Zone") carry
yearly rules of their own.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

CUSTOM = "Customized Time Zone"


class UnknownZone(ValueError):
    """A zone name that is neither Windows nor IANA."""


@dataclass(frozen=True, slots=True)
class YearlyRule:
    """A clock change every year: the nth weekday of a month (5 is the last), at a wall time.

    ``weekday`` counts from Monday as 0; ``at`` is the time after midnight by the old offset.
    """

    month: int
    weekday: int
    nth: int
    at: timedelta

    def moment(self, year: int) -> datetime:
        """Give the naive wall time (old offset) of the change in that year."""
        if self.nth == 5:
            last = date(year + self.month // 12, self.month % 12 + 1, 1) - timedelta(days=1)
            day = last - timedelta(days=(last.weekday() - self.weekday) % 7)
        else:
            first = date(year, self.month, 1)
            ahead = (self.weekday - first.weekday()) % 7
            day = first + timedelta(days=ahead + 7 * (self.nth - 1))
        return datetime.combine(day, time()) + self.at


@dataclass(frozen=True)
class CustomRules(tzinfo):
    """A zone of its own rules: a standard offset and, if any, daylight time between two rules."""

    standard: timedelta
    daylight: timedelta | None = None
    to_daylight: YearlyRule | None = None
    to_standard: YearlyRule | None = None

    def _changes(self, year: int) -> tuple[datetime, datetime] | None:
        if self.daylight is None or self.to_daylight is None or self.to_standard is None:
            return None
        return (
            self.to_daylight.moment(year) - self.standard,
            self.to_standard.moment(year) - self.daylight,
        )

    def _offset_at(self, instant: datetime) -> timedelta:
        changes = self._changes((instant + self.standard).year)
        if changes is None or self.daylight is None:
            return self.standard
        begins, ends = changes
        if begins < ends:
            return self.daylight if begins <= instant < ends else self.standard
        return self.standard if ends <= instant < begins else self.daylight

    def utcoffset(self, dt: datetime | None) -> timedelta:
        """Give the offset at a wall time; ``fold`` tells the two of a doubled hour apart."""
        if dt is None:
            return self.standard
        wall = dt.replace(tzinfo=None)
        guesses = sorted({self.standard, self.daylight or self.standard}, reverse=True)
        right = [each for each in guesses if self._offset_at(wall - each) == each]
        if not right:
            return self._offset_at(wall - guesses[0] - timedelta(hours=3))
        return right[-1] if dt.fold else right[0]

    def dst(self, dt: datetime | None) -> timedelta:
        """How far the clock is put forward at a wall time."""
        return self.utcoffset(dt) - self.standard

    def tzname(self, dt: datetime | None) -> str:
        """Give the name shown for a custom zone."""
        return CUSTOM

    def fromutc(self, dt: datetime) -> datetime:
        """Give the wall time of an instant."""
        instant = dt.replace(tzinfo=None)
        offset = self._offset_at(instant)
        wall = instant + offset
        other = {self.standard, self.daylight or self.standard} - {offset}
        fold = int(any(each > offset and self._offset_at(wall - each) == each for each in other))
        return wall.replace(tzinfo=self, fold=fold)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of an item: the id on the wire, and either an IANA name or rules of its own."""

    windows_id: str
    iana: str | None = None
    rules: CustomRules | None = None

    @property
    def tz(self) -> tzinfo:
        """The offsets to compute with."""
        if self.rules is not None:
            return self.rules
        return _zone_info(self.iana or "Etc/UTC")

    def instant(self, wall: datetime) -> datetime:
        """Give the UTC instant of a naive wall time.

        A skipped time is read with the offset before the change (it lands after the gap); a
        doubled one is the first of the two.
        """
        return wall.replace(tzinfo=self.tz).astimezone(UTC)

    def wall(self, instant: datetime) -> datetime:
        """Give the naive wall time of an instant."""
        return instant.astimezone(self.tz).replace(tzinfo=None)


@lru_cache(maxsize=1024)
def _zone_info(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> Zone:
    """Give the zone of a Windows id or an IANA name.

    Exchange keeps the Windows id alone, so an IANA name becomes the main name of its Windows
    zone (CLDR's "001" territory): Europe/Vienna comes back as Europe/Berlin. Raises UnknownZone.
    """
    if name in ("UTC", "Etc/UTC", "tzone://Microsoft/Utc"):
        return Zone("UTC" if name == "Etc/UTC" else name, "Etc/UTC")
    if name in win_tz:
        return Zone(name, win_tz[name])
    if name in tz_win:
        return Zone(tz_win[name], win_tz[tz_win[name]])
    raise UnknownZone(name)


def custom_zone(
    standard: timedelta,
    daylight: timedelta | None = None,
    to_daylight: YearlyRule | None = None,
    to_standard: YearlyRule | None = None,
    *,
    windows_id: str = CUSTOM,
) -> Zone:
    """Give a zone that no table knows; offsets are east of UTC."""
    return Zone(windows_id, None, CustomRules(standard, daylight, to_daylight, to_standard))
