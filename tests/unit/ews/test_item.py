"""Items that are odd: read with a default and a warning, or set aside, never guessed in silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from keepstep.core.appointment import Address, Appointment, Response, Sensitivity, ShowAs
from keepstep.core.text import CUT_MARK, LONGEST
from keepstep.exchange.ews.build import appointment_of
from keepstep.exchange.ews.item import read_item
from keepstep.exchange.ews.wire import Malformed
from tests.unit.ews.elements import item

EIGHT = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
SERIES = (
    "<CalendarItemType>RecurringMaster</CalendarItemType>"
    "<Recurrence><DailyRecurrence><Interval>1</Interval></DailyRecurrence>"
    "<NoEndRecurrence><StartDate>2027-03-01</StartDate></NoEndRecurrence></Recurrence>"
)


def made(*inner: str, time_zone: str = "Europe/Berlin") -> Appointment:
    return appointment_of(read_item(item(*inner)), "id", time_zone)


def test_a_plain_item_has_no_warnings() -> None:
    assert made().warnings == ()
    assert (made().start, made().uid, made().change_key) == (EIGHT, "uid", "key")


@pytest.mark.parametrize(
    "written",
    [
        "2027-03-01T08:00:00Z",
        "2027-03-01T08:00:00.000000000Z",
        "2027-03-01T09:00:00+01:00",
        "2027-03-01T00:00:00.1-08:00",
        "\n2027-03-01T08:00:00Z ",
    ],
)
def test_times_with_offsets_and_fractions(written: str) -> None:
    start = made(f"<Start>{written}</Start>").start
    assert start.replace(microsecond=0) == EIGHT
    assert start.tzinfo is UTC


def test_a_time_without_an_offset_is_one_on_the_wall_of_the_items_zone() -> None:
    one = made(
        "<Start>2027-07-01T09:00:00</Start><End>2027-07-01T10:00:00</End>"
        '<StartTimeZone Id="Eastern Standard Time"/>'
    )
    assert one.start == datetime(2027, 7, 1, 13, 0, tzinfo=UTC)
    assert one.warnings == ("no-offset",)


@pytest.mark.parametrize(
    "written",
    ["", "soon", "2027-03-01", "20270301T080000Z", "2027-02-30T08:00:00Z", "2027-03-01T25:00:00Z",
     "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-05:00", "2027-03-01T08:00Z"],
)  # fmt: skip
def test_a_time_that_is_none_sets_the_item_aside(written: str) -> None:
    with pytest.raises(Malformed, match="Start: not a date and time"):
        made(f"<Start>{written}</Start>")


def test_the_reason_names_the_element_and_no_text() -> None:
    with pytest.raises(Malformed) as raised:
        made("<Start>Dinner with Anna</Start>")
    assert "Anna" not in str(raised.value)


def test_an_item_without_times_is_set_aside() -> None:
    element = item()
    element.remove(element.find("{*}Start"))  # type: ignore[arg-type]
    with pytest.raises(Malformed, match="Start or End is missing"):
        appointment_of(read_item(element), "id", "UTC")


def test_a_series_without_times_of_its_own_has_those_of_its_first_occurrence() -> None:
    element = item(
        SERIES + "<FirstOccurrence><Start>2027-03-01T08:00:00Z</Start>"
        "<End>2027-03-01T08:30:00Z</End></FirstOccurrence>"
    )
    for name in ("Start", "End"):
        element.remove(element.find(f"{{*}}{name}"))  # type: ignore[arg-type]
    series = appointment_of(read_item(element), "id", "UTC")
    assert (series.start, series.end) == (EIGHT, EIGHT + timedelta(minutes=30))


def test_a_master_without_its_rule_is_set_aside_and_not_a_single_appointment() -> None:
    with pytest.raises(Malformed, match="Recurrence is missing"):
        made("<CalendarItemType>RecurringMaster</CalendarItemType>")


@pytest.mark.parametrize("said", ["true", "false"])
def test_the_item_type_decides_and_is_recurring_does_not(said: str) -> None:
    assert made(f"<IsRecurring>{said}</IsRecurring>").recurrence is None
    assert made(f"<IsRecurring>{said}</IsRecurring>", SERIES).recurrence is not None


def test_words_may_be_spelt_in_another_case() -> None:
    one = made(
        "<Sensitivity>normal</Sensitivity><LegacyFreeBusyStatus>oof</LegacyFreeBusyStatus>"
        "<MyResponseType>ACCEPT</MyResponseType>"
    )
    assert one.details.sensitivity is Sensitivity.NORMAL
    assert one.details.show_as is ShowAs.OUT_OF_OFFICE
    assert one.details.response is Response.ACCEPTED
    assert one.warnings == ()


def test_an_unknown_item_type_is_read_by_what_it_holds() -> None:
    assert made("<CalendarItemType>New</CalendarItemType>").warnings == ("unknown-item-type",)
    series = made(SERIES.replace("RecurringMaster", "New"))
    assert series.recurrence is not None
    assert series.warnings == ("unknown-item-type",)


def test_without_a_zone_the_mailboxs_own_counts() -> None:
    element = item()
    element.remove(element.find("{*}StartTimeZone"))  # type: ignore[arg-type]
    one = appointment_of(read_item(element), "id", "Asia/Tokyo")
    assert (one.zone.name, one.warnings) == ("Asia/Tokyo", ("no-time-zone",))


@pytest.mark.parametrize(
    ("inner", "name", "warnings"),
    [
        ("<StartTimeZoneId>Tokyo Standard Time</StartTimeZoneId>", "Asia/Tokyo", ()),
        ("<StartTimeZoneId>Mars</StartTimeZoneId>", "Europe/Paris", ("unknown-time-zone",)),
        (
            '<MeetingTimeZone TimeZoneName="Tokyo Standard Time"/>'
            "<TimeZone>India Standard Time</TimeZone>",
            "Asia/Tokyo",
            (),
        ),
        ("<TimeZone>Tokyo Standard Time</TimeZone>", "Asia/Tokyo", ()),
        ("<TimeZone>(UTC+09:00) Osaka, Sapporo</TimeZone>", "Europe/Paris", ("no-time-zone",)),
    ],
)
def test_the_zone_is_taken_from_the_best_that_there_is(
    inner: str, name: str, warnings: tuple[str, ...]
) -> None:
    one = made('<StartTimeZone Id="" Name=""/>', inner, time_zone="Europe/Paris")
    assert (one.zone.name, one.warnings) == (name, warnings)


def test_doubled_zones_are_one() -> None:
    zone = '<StartTimeZone Id="Tokyo Standard Time"/><EndTimeZone Id="Tokyo Standard Time"/>'
    one = made(zone, zone)
    assert (one.zone.name, one.end_zone) == ("Asia/Tokyo", None)


def test_the_properties_of_2010_and_of_2013_give_the_same() -> None:
    of_2010 = made('<StartTimeZone Id="Tokyo Standard Time"/><EndTimeZone Id="UTC"/>')
    of_2013 = made(
        '<StartTimeZone Id="Tokyo Standard Time"/><EndTimeZone Id="UTC"/>'
        "<StartTimeZoneId>Tokyo Standard Time</StartTimeZoneId><EndTimeZoneId>UTC</EndTimeZoneId>"
    )
    assert of_2010 == of_2013
    assert of_2010.end_zone is not None
    assert of_2010.end_zone.name == "UTC"


def test_what_ends_before_it_starts_is_kept_and_told() -> None:
    one = made("<End>2027-03-01T07:00:00Z</End>")
    assert (one.end, one.warnings) == (EIGHT - timedelta(hours=1), ("ends-before-start",))


def test_without_a_uid_the_item_id_stands_in() -> None:
    one = made("<UID/>")
    assert (one.uid, one.warnings) == ("id", ("no-uid",))


def test_values_that_no_schema_has_get_the_default_that_does_least_harm() -> None:
    one = made(
        "<Sensitivity>Secret</Sensitivity><LegacyFreeBusyStatus>Asleep</LegacyFreeBusyStatus>"
        "<MyResponseType>Perhaps</MyResponseType><LastModifiedTime>now</LastModifiedTime>"
    )
    assert one.details.sensitivity is Sensitivity.PRIVATE
    assert one.details.show_as is ShowAs.BUSY
    assert one.details.response is Response.NONE
    assert one.last_modified is None
    assert set(one.warnings) == {
        "unknown-sensitivity",
        "unknown-show-as",
        "unknown-response",
        "unknown-last-modified",
    }


@pytest.mark.parametrize(
    ("inner", "cancelled"),
    [
        ("<IsCancelled>true</IsCancelled>", True),
        ("<IsCancelled>1</IsCancelled>", True),
        ("<IsCancelled>false</IsCancelled>", False),
        ("<AppointmentState>7</AppointmentState>", True),
        ("<AppointmentState>3</AppointmentState>", False),
        ("<IsCancelled>false</IsCancelled><AppointmentState>5</AppointmentState>", True),
        ("<AppointmentState>4</AppointmentState><IsCancelled>false</IsCancelled>", True),
    ],
)
def test_a_meeting_is_cancelled_by_word_or_by_state(inner: str, cancelled: bool) -> None:
    assert made(inner).details.cancelled is cancelled


@pytest.mark.parametrize("tag", ["IsCancelled", "IsAllDayEvent"])
def test_a_truth_that_is_none_sets_the_item_aside(tag: str) -> None:
    with pytest.raises(Malformed, match=f"{tag}: neither true nor false"):
        made(f"<{tag}>maybe</{tag}>")


def organizer(inner: str) -> Address | None:
    return made(f"<Organizer><Mailbox>{inner}</Mailbox></Organizer>").details.organizer


def test_a_legacy_address_is_left_out_and_its_end_stands_in_for_a_missing_name() -> None:
    address = "<EmailAddress>/o=Org/ou=Group/cn=Recipients/cn=anna</EmailAddress>"
    assert organizer(f"<Name>Anna</Name>{address}<RoutingType>EX</RoutingType>") == Address(
        "Anna", ""
    )
    assert organizer(address) == Address("anna", "")


def test_the_body_is_that_which_says_something() -> None:
    html, text = '<Body BodyType="HTML">&lt;p&gt;Hi&lt;/p&gt;</Body>', '<Body BodyType="Text"/>'
    assert made(html, text).details.body == "Hi"
    assert made(text, html).details.body == "Hi"


@pytest.mark.parametrize("form", ["Text", "HTML"])
def test_a_body_of_more_than_five_megabytes_is_cut_with_a_mark(form: str) -> None:
    body = made(f'<Body BodyType="{form}">{"word " * 1_200_000}</Body>').details.body
    assert body.endswith(CUT_MARK)
    assert len(body.encode()) <= LONGEST


def test_a_thousand_attendees() -> None:
    attendee = "<Attendee><Mailbox><Name>{0}</Name><EmailAddress>{0}@x</EmailAddress></Mailbox>"
    people = "".join(attendee.format(number) + "</Attendee>" for number in range(1000))
    one = made(f"<RequiredAttendees>{people}</RequiredAttendees>")
    assert [each.email for each in one.details.attendees] == [f"{n}@x" for n in range(1000)]


def test_an_exception_without_its_original_start_sets_the_series_aside() -> None:
    with pytest.raises(Malformed, match="OriginalStart is missing"):
        made(
            SERIES,
            '<ModifiedOccurrences><Occurrence><ItemId Id="o"/><Start>2027-03-02T08:00:00Z</Start>'
            "<End>2027-03-02T09:00:00Z</End></Occurrence></ModifiedOccurrences>",
        )


def test_an_exception_that_could_not_be_read_is_there_with_its_times_and_a_warning() -> None:
    series = made(
        SERIES,
        '<ModifiedOccurrences><Occurrence><ItemId Id="o"/><Start>2027-03-02T10:00:00Z</Start>'
        "<End>2027-03-02T11:00:00Z</End><OriginalStart>2027-03-02T08:00:00Z</OriginalStart>"
        "</Occurrence></ModifiedOccurrences>",
    )
    [changed] = series.changed
    assert changed.original_start == EIGHT + timedelta(days=1)
    assert (changed.start, changed.details) == (EIGHT + timedelta(days=1, hours=2), None)
    assert series.warnings == ("occurrence-unread",)
