"""Whatever comes back, nothing but an `ExchangeError` leaves the connector, and nothing hangs."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from functools import lru_cache

from hypothesis import given, settings
from hypothesis import strategies as st

from keepstep.core.appointment import Appointment
from keepstep.core.errors import ExchangeError
from keepstep.core.failures import FAILURES
from keepstep.exchange.connector import Folder, Gone, Listing, NotAnAppointment, Target, Unreadable
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.connector import EwsConnector
from tests.samples import files

TARGET = Target("anna@example.com", "Europe/Berlin")
READABLE = (Appointment, Gone, Unreadable, NotAnAppointment)


class Says:
    """A transport that gives the same answer to everything."""

    def __init__(self, answer: RawAnswer) -> None:
        self.answer = answer
        self.asked = 0

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        self.asked += 1
        return self.answer

    async def close(self) -> None:
        pass


@lru_cache
def samples() -> list[bytes]:
    names = [
        "gromox/getitem-response-recurring-master-weekly-exceptions.xml",
        "gromox/getitem-response-meeting-attendees-all-responses.xml",
        "gromox/syncfolderitems-response-second-round-allproperties-page-01.xml",
        "gromox/getfolder-response-calendar-default.xml",
        "field/getitem-recurring-master-weekly-enddate-meetingtimezone.xml",
        "field/fault-error-server-busy-backoff.xml",
        "field/syncfolderitems-error-server-busy-concurrentsynccalls.xml",
    ]
    return [files.content(name) for name in names]


async def outcome(asked: Awaitable[object]) -> object:
    try:
        return await asked
    except ExchangeError as failure:
        return failure


async def ask_everything(answer: RawAnswer, ids: list[str]) -> None:
    """Ask all that can be asked; each gives what it promises or an error of the catalogue."""
    says = Says(answer)
    connector = EwsConnector(says, "Exchange2013", offload_above=None)
    read = await outcome(connector.appointments(TARGET, ids, 10))
    listing = await outcome(connector.changes(TARGET, "state", 10))
    folder = await outcome(connector.folder(TARGET))
    for one in (read, listing, folder):
        assert not isinstance(one, ExchangeError) or one.code in FAILURES
    if isinstance(read, dict):
        assert set(read) == set(ids)
        assert all(isinstance(one, READABLE) for one in read.values())
    if isinstance(listing, Listing):
        assert listing.sync_state
    if isinstance(folder, Folder):
        assert folder.id
    assert says.asked < 40


statuses = st.sampled_from([200, 200, 200, 500, 503, 401, 302, 404])
headers = st.dictionaries(
    st.sampled_from(["retry-after", "date", "x-feserver", "content-type"]), st.text(max_size=40)
)
ids = st.lists(st.text(min_size=1, max_size=5), unique=True, max_size=3)


@given(status=statuses, told=headers, body=st.binary(max_size=300), ids=ids)
@settings(max_examples=300, deadline=None)
async def test_random_bytes(status: int, told: dict[str, str], body: bytes, ids: list[str]) -> None:
    await ask_everything(RawAnswer(status, told, body), ids)


@given(data=st.data(), status=statuses, told=headers)
@settings(max_examples=400, deadline=None)
async def test_answers_with_pieces_changed(
    data: st.DataObject, status: int, told: dict[str, str]
) -> None:
    body = data.draw(st.sampled_from(samples()))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        length = data.draw(st.integers(0, 60))
        put = data.draw(
            st.one_of(
                st.binary(max_size=12),
                st.sampled_from(
                    [b"<", b">", b"&", b"</t:Start>", b"<t:Recurrence/>", b"&#x0;", b"9" * 400,
                     b"<![CDATA[", b"<!--", b"<?x ?>", b"\xff\xfe", b"-", b"T", b"Z", b"NaN"]
                ),
            )
        )  # fmt: skip
        body = body[:start] + put + body[start + length :]
    await ask_everything(RawAnswer(status, told, body), ["one"])


values = st.one_of(
    st.text(max_size=30),
    st.from_regex(
        r"-?\d{1,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,12})?(Z|[+-]\d\d:\d\d)?", fullmatch=True
    ),
    st.from_regex(r"-?P(\d{0,7}D)?(T(\d{0,9}H)?(\d{0,9}M)?(\d{0,9}(\.\d+)?S)?)?", fullmatch=True),
    st.integers().map(str),
    st.sampled_from(
        ["Single", "RecurringMaster", "Monday", "Last", "true", "0001-01-01", "9999-12-31"]
    ),
)
TAG_NAMES = """
    CalendarItemType UID Subject Location Body Sensitivity LegacyFreeBusyStatus MyResponseType
    IsCancelled AppointmentState IsAllDayEvent Start End LastModifiedTime Organizer Mailbox Name
    EmailAddress RoutingType RequiredAttendees Attendee ResponseType Categories String Recurrence
    DailyRecurrence WeeklyRecurrence AbsoluteYearlyRecurrence RelativeMonthlyRecurrence Interval
    DaysOfWeek DayOfWeekIndex DayOfMonth Month NoEndRecurrence EndDateRecurrence StartDate EndDate
    NumberedRecurrence NumberOfOccurrences ModifiedOccurrences DeletedOccurrences Occurrence
    DeletedOccurrence ItemId OriginalStart StartTimeZone EndTimeZone Periods Period
    TransitionsGroups TransitionsGroup Transitions Transition To RecurringDayTransition TimeOffset
    DayOfWeek AbsoluteDateTransition DateTime StartTimeZoneId MeetingTimeZone BaseOffset Standard
    Daylight Offset Time RelativeYearlyRecurrence TimeZone FirstOccurrence
"""
TAGS = st.sampled_from(TAG_NAMES.split())


def elements() -> st.SearchStrategy[str]:
    attributes = st.sampled_from(
        [
            "",
            ' Id="0"',
            ' Id="S" Bias="PT1H"',
            ' Bias="-PT30H"',
            ' Kind="Period"',
            ' BodyType="HTML"',
        ]
    )
    escaped = values.map(
        lambda text: (
            "".join(one for one in text if one.isprintable())
            .replace("&", "&amp;")
            .replace("<", "&lt;")
        )
    )
    return st.recursive(
        st.builds(
            lambda tag, told, text: f"<t:{tag}{told}>{text}</t:{tag}>", TAGS, attributes, escaped
        ),
        lambda inner: st.builds(
            lambda tag, told, parts: f"<t:{tag}{told}>{''.join(parts)}</t:{tag}>",
            TAGS,
            attributes,
            st.lists(inner, max_size=4),
        ),
        max_leaves=20,
    )


@given(parts=st.lists(elements(), max_size=8), plain=st.booleans())
@settings(max_examples=250, deadline=None)
async def test_items_of_elements_in_senseless_places(parts: list[str], plain: bool) -> None:
    start = "<t:Start>2027-03-01T08:00:00Z</t:Start><t:End>2027-03-01T09:00:00Z</t:End>"
    content = "".join(parts)
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
        ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Body>'
        '<m:GetItemResponse><m:ResponseMessages><m:GetItemResponseMessage ResponseClass="Success">'
        f"<m:ResponseCode>NoError</m:ResponseCode><m:Items><t:CalendarItem>{start if plain else ''}"
        f"{content}</t:CalendarItem></m:Items></m:GetItemResponseMessage></m:ResponseMessages>"
        "</m:GetItemResponse></s:Body></s:Envelope>"
    ).encode()
    await ask_everything(RawAnswer(200, {}, body), ["one"])
