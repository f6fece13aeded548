"""What the store keeps as JSON comes back as it was."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepstep.core.appointment import (
    UTC_ZONE,
    Address,
    Appointment,
    Attendee,
    ChangedOccurrence,
    Daily,
    Details,
    Recurrence,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    Weekday,
    Zone,
    ZoneChange,
    ZoneEra,
)
from keepstep.core.pack import (
    pack_details,
    pack_recurrence,
    pack_series,
    pack_zone,
    unpack_details,
    unpack_recurrence,
    unpack_series,
    unpack_zone,
)
from tests.unit.core.builders import CUSTOM_NEW_YORK, utc
from tests.unit.core.series_cases import recurrences

texts = st.text(st.characters(codec="utf-8"), max_size=12)
instants = st.datetimes(timezones=st.just(UTC))
offsets = st.timedeltas(timedelta(hours=-23), timedelta(hours=23))
addresses = st.builds(Address, texts, texts)
attendees = st.builds(Attendee, texts, texts, st.sampled_from(Role), st.sampled_from(Response))
details = st.builds(
    Details,
    subject=texts,
    location=texts,
    body=texts,
    organizer=st.none() | addresses,
    attendees=st.lists(attendees, max_size=3).map(tuple),
    sensitivity=st.sampled_from(Sensitivity),
    show_as=st.sampled_from(ShowAs),
    cancelled=st.booleans(),
    categories=st.lists(texts, max_size=2).map(tuple),
    join_url=texts,
    response=st.sampled_from(Response),
)
changed = st.builds(
    ChangedOccurrence,
    instants,
    instants,
    instants,
    texts,
    st.booleans(),
    st.none() | details,
)
changes = st.builds(
    ZoneChange,
    st.integers(1, 12),
    st.sampled_from([0, 1, 2, 3, 4, -1]),
    st.sampled_from(Weekday),
    st.integers(0, 31),
    st.times(),
    offsets,
)
eras = st.builds(
    ZoneEra, st.none() | st.datetimes(), offsets, st.lists(changes, max_size=2).map(tuple)
)
zones = st.builds(Zone, texts, st.lists(eras, max_size=2).map(tuple), texts)


def through_json(packed: object) -> object:
    return json.loads(json.dumps(packed, allow_nan=False))


@settings(max_examples=300, deadline=None)
@given(details)
def test_details_come_back(value: Details) -> None:
    assert unpack_details(through_json(pack_details(value))) == value  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(zones)
def test_zones_come_back(value: Zone) -> None:
    assert unpack_zone(through_json(pack_zone(value))) == value  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(recurrences())
def test_recurrences_come_back(value: Recurrence) -> None:
    assert unpack_recurrence(through_json(pack_recurrence(value))) == value  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(recurrences(), st.lists(changed, max_size=3).map(tuple), st.lists(instants, max_size=3))
def test_series_come_back(
    recurrence: Recurrence,
    exceptions: tuple[ChangedOccurrence, ...],
    deleted: list[datetime],
) -> None:
    now = utc("2026-06-01")
    appointment = Appointment(
        "id",
        "key",
        "uid",
        now,
        now,
        recurrence=recurrence,
        changed=exceptions,
        deleted=tuple(deleted),
    )
    packed = through_json(pack_series(appointment))
    assert unpack_series(packed) == (recurrence, exceptions, tuple(deleted))  # type: ignore[arg-type]


def test_a_single_appointment_has_no_series_to_pack() -> None:
    appointment = Appointment("id", "key", "uid", utc("2026-06-01"), utc("2026-06-02"))
    assert pack_series(appointment) is None
    assert unpack_series(None) == (None, (), ())


def test_defaults_take_no_room() -> None:
    assert pack_details(Details()) == {}
    assert unpack_details({}) == Details()
    assert pack_zone(UTC_ZONE) == {"n": "UTC"}
    assert pack_recurrence(Recurrence(Daily(), date(1, 1, 2))) == {"p": ["d", 1], "f": 2}


def test_a_zone_of_its_own_rules_comes_back() -> None:
    assert unpack_zone(through_json(pack_zone(CUSTOM_NEW_YORK))) == CUSTOM_NEW_YORK  # type: ignore[arg-type]


def test_a_pattern_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="no pattern"):
        unpack_recurrence({"p": ["moon", 1], "f": 700000})
