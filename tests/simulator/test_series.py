"""The simulator's own expansion against python-dateutil's rrule, and exceptions laid over it."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from keepstep_simulator import MailboxModel, NoSuchItem, Recurrence, zone_of
from keepstep_simulator.items import DAY_NAMES, INDEXES
from keepstep_simulator.series import dates
from tests.simulator.soap import Clock

_WEEKDAYS = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)
_GROUPS = {"Day": range(7), "Weekday": range(5), "WeekendDay": (5, 6)}
_MANY = 60

starts = st.dates(date(1995, 1, 1), date(2040, 12, 31))
day_names = st.sampled_from(DAY_NAMES)
any_day = st.sampled_from((*DAY_NAMES, *_GROUPS))
intervals = st.integers(1, 12)
indexes = st.sampled_from(INDEXES)
months = st.integers(1, 12)

patterns = st.one_of(
    st.builds(Recurrence, st.just("daily"), starts, intervals),
    st.builds(
        Recurrence,
        st.just("weekly"),
        starts,
        intervals,
        st.lists(day_names, min_size=1, max_size=7, unique=True).map(tuple),
        first_day_of_week=day_names,
    ),
    st.builds(
        Recurrence,
        st.just("absolute_monthly"),
        starts,
        intervals,
        day_of_month=st.integers(1, 31),
    ),
    st.builds(
        Recurrence, st.just("relative_monthly"), starts, intervals, st.tuples(any_day), indexes
    ),
    st.builds(
        Recurrence,
        st.just("absolute_yearly"),
        starts,
        day_of_month=st.integers(1, 31),
        month=months,
    ),
    st.builds(
        Recurrence,
        st.just("relative_yearly"),
        starts,
        st.just(1),
        st.tuples(any_day),
        indexes,
        month=months,
    ),
)


def by_rrule(recurrence: Recurrence) -> rrule.rrule:
    """The same pattern as RFC 5545 puts it; a day that a month lacks is its last one."""
    start = datetime.combine(recurrence.start, time())
    common = {"dtstart": start, "interval": recurrence.interval}
    if recurrence.kind == "daily":
        return rrule.rrule(rrule.DAILY, **common)
    if recurrence.kind == "weekly":
        days = [_WEEKDAYS[DAY_NAMES.index(name)] for name in recurrence.days]
        first = _WEEKDAYS[DAY_NAMES.index(recurrence.first_day_of_week or "Sunday")]
        return rrule.rrule(rrule.WEEKLY, byweekday=days, wkst=first, **common)
    frequency = rrule.YEARLY if recurrence.kind.endswith("yearly") else rrule.MONTHLY
    if frequency == rrule.YEARLY:
        common["bymonth"] = recurrence.month
    if recurrence.kind.startswith("absolute"):
        days_of_month = range(28, recurrence.day_of_month + 1) or [recurrence.day_of_month]
        return rrule.rrule(frequency, bymonthday=list(days_of_month), bysetpos=-1, **common)
    name = recurrence.days[0]
    wanted = _GROUPS.get(name) or (DAY_NAMES.index(name),)
    place = INDEXES.index(recurrence.index)
    return rrule.rrule(
        frequency,
        byweekday=[_WEEKDAYS[each] for each in wanted],
        bysetpos=-1 if place == 4 else place + 1,
        **common,
    )


@settings(max_examples=400, deadline=None)
@given(patterns)
def test_the_dates_of_every_pattern_are_those_of_rrule(recurrence: Recurrence) -> None:
    mine = list(islice(dates(recurrence), _MANY))
    theirs = [each.date() for each in islice(by_rrule(recurrence), _MANY)]
    assert mine == theirs


@settings(max_examples=200, deadline=None)
@given(patterns, st.integers(0, 9000), st.one_of(st.none(), st.integers(1, 300)))
def test_beginning_late_gives_the_same_dates(
    recurrence: Recurrence, later: int, count: int | None
) -> None:
    since = recurrence.start + timedelta(days=later)
    until = since + timedelta(days=800)
    limited = Recurrence(
        **{
            **{name: getattr(recurrence, name) for name in Recurrence.__slots__},
            "count": count,
            "end": None if count else until,
        }
    )
    whole = [each for each in dates(limited) if since <= each <= until]
    late = [each for each in dates(limited, since) if each <= until]
    assert late == whole


@pytest.fixture
def anna(clock: Clock) -> MailboxModel:
    return MailboxModel("anna@example.com", "Anna", "Europe/Berlin", clock=clock, seed=1)


def weekly(anna: MailboxModel, **fields: object) -> str:
    start = datetime(2026, 10, 5, 9, 0)  # noqa: DTZ001 - wall time of the zone
    return anna.create(
        subject="Weekly",
        start=start,
        end=start + timedelta(hours=1),
        recurrence=Recurrence("weekly", date(2026, 10, 5), days=("Monday",), count=8),
        **fields,
    )


def begins(anna: MailboxModel, zone: str = "Europe/Berlin") -> list[str]:
    window = datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)
    tz = zone_of(zone).tz
    return [each.start.astimezone(tz).strftime("%m-%d %H:%M") for each in anna.occurrences(*window)]


def test_a_series_keeps_its_wall_clock_across_a_clock_change(anna: MailboxModel) -> None:
    weekly(anna)
    assert begins(anna)[2:5] == ["10-19 09:00", "10-26 09:00", "11-02 09:00"]
    assert begins(anna, "Etc/UTC")[2:5] == ["10-19 07:00", "10-26 08:00", "11-02 08:00"]


def test_exceptions_move_and_deleted_occurrences_stay_away(anna: MailboxModel) -> None:
    item_id = weekly(anna)
    second, third = (
        datetime(2026, 10, 12, 7, tzinfo=UTC),
        datetime(2026, 10, 19, 7, tzinfo=UTC),
    )
    anna.change_occurrence(item_id, second, start=third + timedelta(days=1), subject="Late")
    anna.delete_occurrence(item_id, third)
    assert begins(anna)[:4] == ["10-05 09:00", "10-20 09:00", "10-26 09:00", "11-02 09:00"]
    with pytest.raises(NoSuchItem):
        anna.change_occurrence(item_id, third, subject="No")
    with pytest.raises(NoSuchItem):
        anna.delete_occurrence(item_id, third + timedelta(minutes=1))


def test_a_changed_occurrence_that_is_deleted_leaves_its_original_start(
    anna: MailboxModel,
) -> None:
    item_id = weekly(anna)
    second = datetime(2026, 10, 12, 7, tzinfo=UTC)
    anna.change_occurrence(item_id, second, start=second + timedelta(hours=5))
    anna.delete_occurrence(item_id, second)
    master = anna.get(item_id)
    assert master.exceptions == ()
    assert master.deleted_occurrences == (second,)


def test_this_and_following_makes_two_series_of_one(anna: MailboxModel) -> None:
    item_id = weekly(anna)
    before = begins(anna)
    at = datetime(2026, 10, 26, 8, tzinfo=UTC)
    new_id = anna.split_series(item_id, at, subject="New times")
    head, tail = anna.get(item_id), anna.get(new_id)
    assert begins(anna) == before
    assert head.recurrence is not None
    assert tail.recurrence is not None
    assert head.recurrence.end == date(2026, 10, 19)
    assert tail.recurrence.count == 5
    assert head.uid != tail.uid


def test_a_new_zone_is_taken_over(anna: MailboxModel) -> None:
    start = datetime(2026, 10, 5, 9, 0)  # noqa: DTZ001 - wall time of the zone
    item_id = anna.create(start=start, end=start)
    anna.update(item_id, start=start, end=start, time_zone="Asia/Tokyo")
    assert anna.get(item_id).time_zone == "Asia/Tokyo"
    assert anna.get(item_id).start == datetime(2026, 10, 5, 0, 0, tzinfo=UTC)


def test_new_times_make_a_series_forget_its_exceptions(anna: MailboxModel) -> None:
    item_id = weekly(anna)
    second = datetime(2026, 10, 12, 7, tzinfo=UTC)
    anna.change_occurrence(item_id, second, subject="Once")
    anna.update(item_id, subject="Renamed")
    assert len(anna.get(item_id).exceptions) == 1
    start = datetime(2026, 10, 5, 10, 0)  # noqa: DTZ001 - wall time of the zone
    anna.update(item_id, start=start, end=start + timedelta(hours=1))
    assert anna.get(item_id).exceptions == ()
    assert begins(anna)[1] == "10-12 10:00"


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 2, 30), "2026-03-29T01:30:00+00:00"),  # noqa: DTZ001
        ("Europe/Berlin", datetime(2026, 10, 25, 2, 30), "2026-10-25T00:30:00+00:00"),  # noqa: DTZ001
        ("Asia/Kathmandu", datetime(2026, 5, 1, 9, 0), "2026-05-01T03:15:00+00:00"),  # noqa: DTZ001
        ("Australia/Lord_Howe", datetime(2026, 1, 5, 9, 0), "2026-01-04T22:00:00+00:00"),  # noqa: DTZ001
        ("America/Sao_Paulo", datetime(2018, 12, 1, 9, 0), "2018-12-01T11:00:00+00:00"),  # noqa: DTZ001
        ("America/Sao_Paulo", datetime(2026, 12, 1, 9, 0), "2026-12-01T12:00:00+00:00"),  # noqa: DTZ001
    ],
)
def test_wall_times_are_read_in_their_zone(zone: str, wall: datetime, instant: str) -> None:
    assert zone_of(zone).instant(wall).isoformat() == instant
