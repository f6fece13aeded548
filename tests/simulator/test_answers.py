"""Every operation's answer follows Microsoft's schema of its version, and says what is so."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

import keepstep_simulator
from keepstep_simulator import Attendee, MailboxModel, Recurrence, Request, Simulator
from tests.shared_material import shared
from tests.simulator.soap import (
    Clock,
    M,
    T,
    ask,
    basic,
    codes,
    fault_code,
    get,
    payload,
    schema,
    shape,
    sync,
    valid,
)

FORMS = [("Exchange2010_SP2", "exchange2010"), ("Exchange2013", "exchange2013")]
DAY = datetime(2026, 12, 1, 9, 0)  # noqa: DTZ001 - read in the mailbox's zone


@pytest.fixture
def seeded(clock: Clock) -> Simulator:
    simulator = Simulator(clock=clock, seed=3)
    simulator.seed_calendars(4, items_each=80)
    return simulator


@pytest.mark.parametrize(("version", "form"), FORMS)
@pytest.mark.parametrize("base", ["IdOnly", "Default", "AllProperties"])
@pytest.mark.parametrize("body", ["Text", "HTML", "Best"])
def test_whole_calendars_are_read_in_every_shape(
    seeded: Simulator, version: str, form: str, base: str, body: str
) -> None:
    wanted = shape(base, "calendar:Recurrence", "item:Body", body=body)
    for mailbox in seeded.mailboxes.values():
        ids = [each.id for each in mailbox.items()]
        listed = valid(ask(seeded, sync(item_shape=wanted), mailbox=mailbox, version=version), form)
        assert sorted(each.get("Id", "") for each in listed.iter(T + "ItemId")) == sorted(ids)
        read = valid(
            ask(seeded, get(*ids, item_shape=wanted), mailbox=mailbox, version=version), form
        )
        assert codes(read) == ["NoError"] * len(ids)


@pytest.mark.parametrize(("version", "form"), FORMS)
def test_a_calendar_view_is_valid_and_holds_what_the_model_holds(
    seeded: Simulator, version: str, form: str
) -> None:
    view = find('<m:CalendarView StartDate="2026-11-01T00:00:00Z" EndDate="2027-01-01T00:00:00Z"/>')
    window = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    for mailbox in seeded.mailboxes.values():
        found = valid(ask(seeded, view, mailbox=mailbox, version=version), form)
        told = [
            (each.findtext(T + "Subject"), each.findtext(T + "Start"))
            for each in found.iter(T + "CalendarItem")
        ]
        happen = [
            (each.item.subject, each.start.strftime("%Y-%m-%dT%H:%M:%SZ"))
            for each in mailbox.occurrences(*window)
        ]
        assert [(subject or None, start) for subject, start in told] == [
            (subject or None, start) for subject, start in happen
        ]


def find(view: str, rest: str = "", base: str = "Default") -> str:
    return (
        f'<m:FindItem Traversal="Shallow">{shape(base)}{view}{rest}<m:ParentFolderIds>'
        '<t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds></m:FindItem>'
    )


@pytest.mark.parametrize(("version", "form"), FORMS)
def test_the_other_operations_are_valid_too(
    simulator: Simulator, mailbox: MailboxModel, version: str, form: str
) -> None:
    requests = [
        "<m:GetFolder><m:FolderShape><t:BaseShape>AllProperties</t:BaseShape></m:FolderShape>"
        '<m:FolderIds><t:DistinguishedFolderId Id="calendar"/>'
        '<t:DistinguishedFolderId Id="root"/><t:FolderId Id="x"/></m:FolderIds></m:GetFolder>',
        "<m:GetServerTimeZones/>",
        '<m:ResolveNames ReturnFullContactData="false"><m:UnresolvedEntry>anna</m:UnresolvedEntry>'
        "</m:ResolveNames>",
        '<m:ResolveNames ReturnFullContactData="false"><m:UnresolvedEntry>zoe</m:UnresolvedEntry>'
        "</m:ResolveNames>",
        '<m:ConvertId DestinationFormat="HexEntryId"><m:SourceIds><t:AlternateId Format="EwsId" '
        f'Id="{mailbox.folder_id}" Mailbox="anna@example.com"/></m:SourceIds></m:ConvertId>',
    ]
    for request in requests:
        answer = ask(simulator, request, mailbox=mailbox, version=version)
        assert answer.status == 200, answer.body
        schema(form).assertValid(payload(answer))


def create(inner: str, sending: str = "SendToNone") -> str:
    return (
        f'<m:CreateItem SendMeetingInvitations="{sending}"><m:Items><t:CalendarItem>{inner}'
        "</t:CalendarItem></m:Items></m:CreateItem>"
    )


@pytest.mark.parametrize(("version", "form"), FORMS)
def test_an_item_is_created_changed_and_deleted(
    simulator: Simulator, mailbox: MailboxModel, version: str, form: str
) -> None:
    made = valid(
        ask(
            simulator,
            create(
                "<t:Subject>One</t:Subject><t:Start>2026-12-01T09:00:00Z</t:Start>"
                "<t:End>2026-12-01T10:00:00Z</t:End>"
            ),
            mailbox=mailbox,
            version=version,
        ),
        form,
    )
    item_id = next(made.iter(T + "ItemId"))
    changed = valid(
        ask(
            simulator,
            '<m:UpdateItem ConflictResolution="AutoResolve" '
            'SendMeetingInvitationsOrCancellations="SendToNone"><m:ItemChanges><t:ItemChange>'
            f'<t:ItemId Id="{item_id.get("Id")}" ChangeKey="{item_id.get("ChangeKey")}"/>'
            '<t:Updates><t:SetItemField><t:FieldURI FieldURI="item:Subject"/><t:CalendarItem>'
            "<t:Subject>Two</t:Subject></t:CalendarItem></t:SetItemField></t:Updates>"
            "</t:ItemChange></m:ItemChanges></m:UpdateItem>",
            mailbox=mailbox,
            version=version,
        ),
        form,
    )
    assert [each.subject for each in mailbox.items()] == ["Two"]
    assert next(changed.iter(T + "ItemId")).get("ChangeKey") != item_id.get("ChangeKey")
    valid(
        ask(
            simulator,
            '<m:DeleteItem DeleteType="HardDelete" SendMeetingCancellations="SendToNone">'
            f'<m:ItemIds><t:ItemId Id="{item_id.get("Id")}"/><t:ItemId Id="gone"/></m:ItemIds>'
            "</m:DeleteItem>",
            mailbox=mailbox,
            version=version,
        ),
        form,
    )
    assert mailbox.items() == []


def test_a_listing_never_holds_bodies_attendees_or_patterns(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    mailbox.create(
        subject="Series",
        start=DAY,
        end=DAY + timedelta(hours=1),
        body="<p>secret</p>",
        attendees=["ben@example.com"],
        recurrence=Recurrence("daily", DAY.date(), count=5),
    )
    wanted = shape("AllProperties", "item:Body", "calendar:Recurrence")
    listed = ask(simulator, sync(item_shape=wanted), mailbox=mailbox)
    for name in (
        b"t:Body",
        b"Attendees",
        b"Recurrence>",
        b"ModifiedOccurrences",
        b"FirstOccurrence",
    ):
        assert name not in listed.body
    assert b"RecurringMaster" in listed.body


def test_a_series_tells_its_exceptions_and_each_is_read_by_its_own_id(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    item_id = mailbox.create(
        subject="Weekly",
        start=DAY,
        end=DAY + timedelta(hours=1),
        recurrence=Recurrence("weekly", DAY.date(), days=("Tuesday",), count=5),
    )
    second, third = (
        datetime(2026, 12, 8, 8, 0, tzinfo=UTC),
        datetime(2026, 12, 15, 8, 0, tzinfo=UTC),
    )
    mailbox.change_occurrence(item_id, second, start=second + timedelta(hours=3), subject="Moved")
    mailbox.delete_occurrence(item_id, third)
    wanted = shape("AllProperties")
    master = valid(ask(simulator, get(item_id, item_shape=wanted), mailbox=mailbox))
    changed = master.find(f".//{T}ModifiedOccurrences/{T}Occurrence")
    assert changed.findtext(T + "OriginalStart") == "2026-12-08T08:00:00Z"
    assert changed.findtext(T + "Start") == "2026-12-08T11:00:00Z"
    assert master.findtext(f".//{T}DeletedOccurrence/{T}Start") == "2026-12-15T08:00:00Z"
    assert master.findtext(f".//{T}StartDate") == "2026-12-01+01:00"
    derived = changed.find(T + "ItemId").get("Id")
    read = valid(ask(simulator, get(derived, item_shape=wanted), mailbox=mailbox))
    assert read.findtext(f".//{T}Subject") == "Moved"
    assert read.findtext(f".//{T}CalendarItemType") == "Exception"
    by_index = [
        f'<t:OccurrenceItemId RecurringMasterId="{item_id}" InstanceIndex="{each}"/>'
        for each in (1, 2, 3, 6)
    ]
    by_occurrence = f'<t:RecurringMasterItemId OccurrenceId="{derived}"/>'
    told = valid(ask(simulator, get(*by_index, by_occurrence), mailbox=mailbox))
    assert codes(told) == [
        "NoError",
        "NoError",
        "ErrorCalendarOccurrenceIsDeletedFromRecurrence",
        "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange",
        "NoError",
    ]
    assert list(told.iter(T + "ItemId"))[-1].get("Id") == item_id


def test_a_master_is_recurring_for_who_received_it_and_not_for_its_organizer(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    guest = simulator.add_mailbox("ben@example.com")
    item_id = mailbox.create(
        subject="Series",
        start=DAY,
        end=DAY + timedelta(hours=1),
        attendees=[Attendee("Ben", "ben@example.com")],
        recurrence=Recurrence("daily", DAY.date(), count=5),
    )
    simulator.deliver(mailbox, item_id, "invite")
    (received,) = guest.items()
    wanted = shape("IdOnly", "calendar:IsRecurring")
    mine = valid(ask(simulator, get(item_id, item_shape=wanted), mailbox=mailbox))
    theirs = valid(ask(simulator, get(received.id, item_shape=wanted), mailbox=guest))
    assert mine.findtext(f".//{T}IsRecurring") == "false"
    assert theirs.findtext(f".//{T}IsRecurring") == "true"
    assert received.uid == mailbox.get(item_id).uid


def test_working_elsewhere_is_free_to_a_client_of_2010(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    item_id = mailbox.create(start=DAY, end=DAY, show_as="working_elsewhere")
    request = get(item_id, item_shape=shape("Default"))
    for (version, form), word in zip(FORMS, ("Free", "WorkingElsewhere"), strict=True):
        told = valid(ask(simulator, request, mailbox=mailbox, version=version), form)
        assert told.findtext(f".//{T}LegacyFreeBusyStatus") == word


def test_an_all_day_item_stands_from_midnight_to_midnight_of_its_zone(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    item_id = mailbox.create(
        start=date(2026, 7, 1), end=date(2026, 7, 3), all_day=True, time_zone="Asia/Tokyo"
    )
    read = valid(ask(simulator, get(item_id, item_shape=shape("Default")), mailbox=mailbox))
    assert read.findtext(f".//{T}Start") == "2026-06-30T15:00:00Z"
    assert read.findtext(f".//{T}End") == "2026-07-02T15:00:00Z"


def test_ids_are_told_apart_by_case_and_may_be_512_characters_long(seeded: Simulator) -> None:
    ids = [each.id for mailbox in seeded.mailboxes.values() for each in mailbox.items()]
    assert len({each.lower() for each in ids}) < len(ids)
    assert max(len(each) for each in ids) == 512
    assert any("+" in each for each in ids)
    assert any("/" in each for each in ids)
    assert len(set(ids)) == len(ids)


def test_an_id_of_other_case_is_not_found(simulator: Simulator, mailbox: MailboxModel) -> None:
    item_id = mailbox.create(start=DAY, end=DAY)
    place = next(at for at in range(60, len(item_id)) if item_id[at].isalpha())
    other = item_id[:place] + item_id[place].swapcase() + item_id[place + 1 :]
    told = valid(ask(simulator, get(item_id, other, "no id at all"), mailbox=mailbox))
    assert codes(told) == ["NoError", "ErrorItemNotFound", "ErrorInvalidIdMalformed"]


@pytest.mark.parametrize(
    ("server", "schema_version", "major"),
    [
        ("Exchange2010", "Exchange2010_SP2", ("14", "3")),
        ("Exchange2013", "Exchange2013_SP1", ("15", "0")),
        ("Exchange2016", "Exchange2016", ("15", "1")),
        ("Exchange2019", "Exchange2016", ("15", "2")),
        ("ExchangeSE", "Exchange2016", ("15", "2")),
    ],
)
def test_each_server_says_which_it_is(
    clock: Clock, server: str, schema_version: str, major: tuple[str, str]
) -> None:
    simulator = Simulator(clock=clock, version=server)
    mailbox = simulator.add_mailbox("anna@example.com")
    answer = ask(simulator, sync(), mailbox=mailbox, version=schema_version)
    assert answer.status == 200
    info = next(etree.fromstring(answer.body).iter(T + "ServerVersionInfo"))
    assert (info.get("MajorVersion"), info.get("MinorVersion")) == major


def test_an_older_server_refuses_newer_versions_and_properties(clock: Clock) -> None:
    simulator = Simulator(clock=clock, version="Exchange2010")
    mailbox = simulator.add_mailbox("anna@example.com")
    item_id = mailbox.create(start=DAY, end=DAY)
    newer = ask(simulator, sync(), mailbox=mailbox, version="Exchange2013")
    assert fault_code(newer) == "ErrorInvalidServerVersion"
    wanted = get(item_id, item_shape=shape("IdOnly", "calendar:StartTimeZoneId"))
    asked = ask(simulator, wanted, mailbox=mailbox, version="Exchange2010_SP2")
    assert fault_code(asked) == "ErrorSchemaValidation"


def test_a_newer_server_refuses_newer_properties_in_an_older_request(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    item_id = mailbox.create(start=DAY, end=DAY)
    wanted = get(item_id, item_shape=shape("IdOnly", "calendar:StartTimeZoneId"))
    told = valid(ask(simulator, wanted, mailbox=mailbox, version="Exchange2010"), "exchange2010")
    assert codes(told) == ["ErrorInvalidPropertyRequest"]


@pytest.mark.parametrize("most", [0, 513, -1, "many", ""])
def test_a_batch_size_outside_1_to_512_fails_the_schema(
    simulator: Simulator, mailbox: MailboxModel, most: object
) -> None:
    answer = ask(simulator, sync(most=most), mailbox=mailbox)
    assert fault_code(answer) == "ErrorSchemaValidation"


def test_who_may_not_come_in_is_told_why(simulator: Simulator, mailbox: MailboxModel) -> None:
    for wrong in (basic(password="wrong"), basic(user="other"), "Basic !", "NTLM abc"):
        refused = ask(simulator, sync(), mailbox=mailbox, authorization=wrong)
        assert refused.status == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic")
    assert ask(simulator, sync(), mailbox=mailbox, authorization=basic("CORP\\svc")).status == 200
    unknown = ask(simulator, sync(), mailbox="nobody@example.com")
    assert fault_code(unknown) == "ErrorNonExistentMailbox"
    simulator.may_not_impersonate.add("anna@example.com")
    assert fault_code(ask(simulator, sync(), mailbox=mailbox)) == "ErrorImpersonateUserDenied"


def test_a_request_without_impersonation_has_no_mailbox(simulator: Simulator) -> None:
    assert codes(valid(ask(simulator, sync()))) == ["ErrorMissingEmailAddress"]


def test_the_log_tells_what_was_asked(simulator: Simulator, mailbox: MailboxModel) -> None:
    item_id = mailbox.create(start=DAY, end=DAY)
    ask(simulator, sync(most=7), mailbox=mailbox)
    ask(simulator, get(item_id), mailbox="ANNA@example.com")
    first, second = simulator.requests(mailbox="anna@example.com")
    assert (first.operation, first.max_changes, first.sync_state) == ("SyncFolderItems", 7, False)
    assert (first.user, first.anchor, first.status) == ("svc", "anna@example.com", 200)
    assert (second.operation, second.item_ids) == ("GetItem", (item_id,))


def test_calendar_views_too_wide_or_backwards_are_refused(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    mailbox.create(start=DAY, end=DAY, recurrence=Recurrence("daily", DAY.date()))
    views = {
        '<m:CalendarView StartDate="2026-01-01T00:00:00Z" EndDate="2028-02-01T00:00:00Z"/>': (
            "ErrorCalendarViewRangeTooBig"
        ),
        '<m:CalendarView StartDate="2026-02-01T00:00:00Z" EndDate="2026-01-01T00:00:00Z"/>': (
            "ErrorCalendarEndDateIsEarlierThanStartDate"
        ),
        '<m:CalendarView MaxEntriesReturned="3" StartDate="2026-12-01T00:00:00Z" '
        'EndDate="2027-01-01T00:00:00Z"/>': "NoError",
    }
    for view, code in views.items():
        told = valid(ask(simulator, find(view), mailbox=mailbox))
        assert codes(told) == [code]
    assert len(list(told.iter(T + "CalendarItem"))) == 3
    assert told.find(f".//{M}RootFolder").get("IncludesLastItemInRange") == "false"


def test_indexed_pages_go_through_a_restricted_calendar(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    for number in range(25):
        start = DAY + timedelta(days=number)
        mailbox.create(subject=f"{number}", start=start, end=start)
    rest = (
        '<m:Restriction><t:IsGreaterThanOrEqualTo><t:FieldURI FieldURI="calendar:Start"/>'
        '<t:FieldURIOrConstant><t:Constant Value="2026-12-06T00:00:00Z"/></t:FieldURIOrConstant>'
        "</t:IsGreaterThanOrEqualTo></m:Restriction>"
    )
    found, offset = [], 0
    while True:
        view = (
            f'<m:IndexedPageItemView MaxEntriesReturned="7" Offset="{offset}" '
            'BasePoint="Beginning"/>'
        )
        told = valid(ask(simulator, find(view, rest), mailbox=mailbox))
        found += [each.text for each in told.iter(T + "Subject")]
        root = told.find(f".//{M}RootFolder")
        assert root.get("TotalItemsInView") == "20"
        if root.get("IncludesLastItemInRange") == "true":
            break
        offset = int(root.get("IndexedPagingOffset"))
    assert sorted(map(int, found)) == list(range(5, 25))


def test_every_code_that_the_simulator_can_give_is_one_of_exchange() -> None:
    text = shared("ews-schema", "current", "messages.xsd").read_text(encoding="utf-8-sig")
    real = set(re.findall(r'enumeration value="(Error\w+)"', text))
    given = set()
    for path in Path(keepstep_simulator.__file__).parent.rglob("*.py"):
        given |= set(re.findall(r'"(Error[A-Z]\w+)"', path.read_text(encoding="utf-8")))
    assert given - real == set()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<not xml",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>',
    ],
)
def test_what_is_no_request_gets_a_schema_fault(simulator: Simulator, body: bytes) -> None:
    request = Request("POST", "/ews/exchange.asmx", {"authorization": basic()}, body)
    assert fault_code(simulator.answer(request)) == "ErrorSchemaValidation"
