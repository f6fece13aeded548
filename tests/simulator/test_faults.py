"""Each fault of the list brings about what it says, where and as often as it says."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from keepstep_simulator import Answer, Fault, MailboxModel, Recurrence, Simulator
from keepstep_simulator.faults import KINDS
from keepstep_simulator.transit import MISHAPS
from tests.simulator.soap import (
    Clock,
    Follower,
    M,
    T,
    ask,
    codes,
    fault_code,
    get,
    payload,
    shape,
    sync,
    valid,
)

DAY = datetime(2026, 12, 1, 9, 0)  # noqa: DTZ001 - read in the mailbox's zone
ALL = shape("AllProperties")


def made(mailbox: MailboxModel, **fields: Any) -> str:
    return mailbox.create(**{"start": DAY, "end": DAY + timedelta(hours=1), **fields})


def struck(simulator: Simulator, mailbox: MailboxModel, request: str, fault: Fault) -> Answer:
    simulator.faults.add(fault)
    answer = ask(simulator, request, mailbox=mailbox)
    assert len(simulator.faults) == 0
    assert simulator.log[-1].fault == fault.kind
    return answer


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault of that kind"):
        Fault("earthquake")


@pytest.mark.parametrize("status", [401, 403, 404, 500, 502, 503])
def test_http_errors(simulator: Simulator, mailbox: MailboxModel, status: int) -> None:
    answer = struck(
        simulator, mailbox, sync(), Fault("http", status=status, retry_after=17, body="Oops")
    )
    assert (answer.status, answer.headers["Retry-After"]) == (status, "17")
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert ask(simulator, sync(), mailbox=mailbox).status == 200


def test_busy_comes_in_three_shapes(simulator: Simulator, mailbox: MailboxModel) -> None:
    plain = struck(simulator, mailbox, sync(), Fault("busy-503"))
    assert plain.status == 503
    assert "Retry-After" not in plain.headers
    fault = struck(simulator, mailbox, sync(), Fault("busy-fault", back_off_ms=297749))
    assert fault_code(fault) == "ErrorServerBusy"
    assert b'<t:Value Name="BackOffMilliseconds">297749</t:Value>' in fault.body
    inner = struck(simulator, mailbox, sync(), Fault("busy-inner", back_off_ms=5000))
    content = valid(inner)
    assert codes(content) == ["ErrorServerBusy"]
    assert content.findtext(f".//{M}SyncState") == ""
    assert content.findtext(f".//{M}IncludesLastItemInRange") == "true"
    assert simulator.log[-1].code == "ErrorServerBusy"


@pytest.mark.parametrize(
    "code",
    [
        "ErrorImpersonateUserDenied",
        "ErrorNonExistentMailbox",
        "ErrorMailboxMoveInProgress",
        "ErrorMailboxStoreUnavailable",
        "ErrorTooManyObjectsOpened",
        "ErrorExceededConnectionCount",
    ],
)
def test_any_code_comes_as_a_fault_or_inside(
    simulator: Simulator, mailbox: MailboxModel, code: str
) -> None:
    fault = struck(simulator, mailbox, sync(), Fault("soap-fault", code=code))
    assert fault_code(fault) == code
    ids = made(mailbox), made(mailbox)
    inside = struck(simulator, mailbox, get(*ids), Fault("error", "GetItem", code=code))
    assert codes(valid(inside)) == [code, code]


def test_an_error_may_lack_the_sync_state(simulator: Simulator, mailbox: MailboxModel) -> None:
    fault = Fault("error", code="ErrorInvalidSyncStateData", bare=True)
    content = valid(struck(simulator, mailbox, sync(), fault))
    assert codes(content) == ["ErrorInvalidSyncStateData"]
    assert content.find(f".//{M}SyncState") is None


def test_a_mailbox_that_is_not_ready_gives_its_code(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    mailbox.status = "ErrorMailboxStoreUnavailable"
    assert codes(valid(ask(simulator, sync(), mailbox=mailbox))) == [mailbox.status]


def test_a_lost_answer_is_work_done(simulator: Simulator, mailbox: MailboxModel) -> None:
    request = (
        '<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem>'
        "<t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End>"
        "</t:CalendarItem></m:Items></m:CreateItem>"
    )
    answer = struck(simulator, mailbox, request, Fault("lost-answer"))
    assert answer.delivery.drop
    assert len(mailbox) == 1
    answer = struck(simulator, mailbox, request, Fault("lost-request"))
    assert answer.delivery.drop
    assert len(mailbox) == 1


@pytest.mark.parametrize("kind", ["truncated", "not-xml"])
def test_answers_that_are_no_xml(simulator: Simulator, mailbox: MailboxModel, kind: str) -> None:
    answer = struck(simulator, mailbox, sync(), Fault(kind))
    assert answer.status == 200
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(answer.body)


def test_a_login_page_and_a_redirect(simulator: Simulator, mailbox: MailboxModel) -> None:
    page = struck(simulator, mailbox, sync(), Fault("login-page"))
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert b"password" in page.body
    away = struck(simulator, mailbox, sync(), Fault("redirect", location="http://x.example/"))
    assert (away.status, away.headers["Location"]) == (302, "http://x.example/")


def test_document_types_bombs_and_depth(simulator: Simulator, mailbox: MailboxModel) -> None:
    plain = struck(simulator, mailbox, sync(), Fault("doctype"))
    assert b"<!DOCTYPE" in plain.body
    bomb = struck(simulator, mailbox, sync(), Fault("doctype", bomb=True))
    assert bomb.body.count(b"<!ENTITY") == 10
    away = struck(simulator, mailbox, sync(), Fault("doctype", system="http://x.example/"))
    assert b'SYSTEM "http://x.example/"' in away.body
    deep = struck(simulator, mailbox, sync(), Fault("deep", depth=5000))
    assert deep.body.count(b"<a>") == 5000


@pytest.mark.parametrize("kind", ["huge", "gzip-bomb", "endless-headers"])
def test_huge_answers_are_not_held_in_memory(
    simulator: Simulator, mailbox: MailboxModel, kind: str
) -> None:
    answer = struck(simulator, mailbox, sync(), Fault(kind, megabytes=10_000))
    assert answer.delivery.repeat == 10_000
    assert len(answer.delivery.filler) <= 1_000_000
    assert answer.delivery.endless_head == (kind == "endless-headers")
    assert ("Content-Encoding" in answer.headers) == (kind == "gzip-bomb")


def test_slow_dripping_hanging_and_cut_answers(simulator: Simulator, mailbox: MailboxModel) -> None:
    assert struck(simulator, mailbox, sync(), Fault("slow", seconds=2)).delivery.wait == 2
    assert struck(simulator, mailbox, sync(), Fault("drip", seconds=3)).delivery.drip == 3
    hung = struck(simulator, mailbox, sync(), Fault("hang", seconds=4)).delivery
    assert (hung.wait, hung.drop) == (4, True)
    cut = struck(simulator, mailbox, sync(), Fault("cut", share=0.25))
    assert cut.delivery.cut == len(cut.body) // 4


def test_a_state_may_be_forgotten_in_silence(simulator: Simulator, mailbox: MailboxModel) -> None:
    ids = {made(mailbox), made(mailbox)}
    follower = Follower(simulator, mailbox)
    follower.round()
    for state, fault in (
        (follower.state, Fault("state-ignored")),
        ("garbage", Fault("garbage-state-accepted")),
    ):
        content = valid(struck(simulator, mailbox, sync(state), fault))
        assert codes(content) == ["NoError"]
        assert {each.get("Id") for each in content.iter(T + "ItemId")} == ids
    simulator.faults.add(Fault("garbage-state-accepted"))
    assert follower.round() == []


def test_pages_that_repeat_or_lie_about_the_end(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    for _ in range(5):
        made(mailbox)
    first = valid(ask(simulator, sync(most=2), mailbox=mailbox))
    state = first.findtext(f".//{M}SyncState")
    page = valid(struck(simulator, mailbox, sync(state, 2), Fault("repeated-page")))
    assert page.findtext(f".//{M}SyncState") == state
    assert page.findtext(f".//{M}IncludesLastItemInRange") == "false"
    soon = valid(struck(simulator, mailbox, sync(state, 2), Fault("last-too-soon")))
    assert soon.findtext(f".//{M}IncludesLastItemInRange") == "true"
    end = valid(struck(simulator, mailbox, sync(state, 9), Fault("never-last")))
    assert end.findtext(f".//{M}IncludesLastItemInRange") == "false"


@pytest.mark.parametrize(
    ("how", "broken"),
    [
        ("bad-date", "2026-02-30T25:61:00Z"),
        ("no-start", None),
    ],
)
def test_one_item_is_poisoned_and_no_other(
    simulator: Simulator, mailbox: MailboxModel, how: str, broken: str | None
) -> None:
    good, bad = made(mailbox), made(mailbox)
    fault = Fault("poisoned", "GetItem", item_id=bad, how=how)
    content = payload(
        struck(simulator, mailbox, get(good, bad, item_shape=shape("Default")), fault)
    )
    starts = {
        each.find(T + "ItemId").get("Id"): each.findtext(T + "Start")
        for each in content.iter(T + "CalendarItem")
    }
    assert starts == {good: "2026-12-01T08:00:00Z", bad: broken}


def test_items_go_between_listing_and_reading(simulator: Simulator, mailbox: MailboxModel) -> None:
    first, second = made(mailbox), made(mailbox)
    told = struck(simulator, mailbox, get(first, second), Fault("deleted-meanwhile", "GetItem"))
    assert codes(valid(told)) == ["ErrorItemNotFound", "NoError"]
    assert [each.id for each in mailbox.items()] == [second]
    told = struck(simulator, mailbox, get(second), Fault("item-error", code="ErrorCorruptData"))
    assert codes(valid(told)) == ["ErrorCorruptData"]


def test_quirks_of_other_servers(simulator: Simulator, mailbox: MailboxModel) -> None:
    item_id = made(
        mailbox, subject="S", body="<p>x</p>", recurrence=Recurrence("daily", DAY.date(), count=3)
    )
    wanted = get(item_id, item_shape=shape("AllProperties", body="Text"))

    def told(kind: str, **params: Any) -> str:
        return struck(simulator, mailbox, wanted, Fault(kind, **params)).body.decode()

    assert '<t:Body BodyType="Text"></t:Body>' in told("empty-text-body")
    assert "<t:UID>" not in told("no-uid")
    doubled = told("doubled-zone")
    assert doubled.count("<t:StartTimeZone ") == 2
    assert len(list(etree.fromstring(doubled.encode()).iter(T + "StartTimeZone"))) == 2
    assert "<t:Start>2026-12-01T08:00:00.000000000Z</t:Start>" in told("fractional-seconds")
    dated = "<t:StartDate>2026-12-01T00:00:00.000000Z</t:StartDate>"
    assert dated in told("recurrence-datetime")
    assert "<t:LegacyFreeBusyStatus>busy<" in told("enumerations")
    assert "<t:LegacyFreeBusyStatus>FromTheFuture<" in told("enumerations", how="unknown")
    assert "<t:Subject>S&#x1;&#x1F;</t:Subject>" in told("forbidden-characters")
    listed = struck(
        simulator,
        mailbox,
        sync(item_shape=shape("Default")),
        Fault("masters-without-times", "SyncFolderItems"),
    )
    assert "<t:Start>" not in listed.body.decode()
    assert "RecurringMaster" in listed.body.decode()


def test_faults_hold_for_their_operation_mailbox_and_number_of_times(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    other = simulator.add_mailbox("ben@example.com")
    simulator.faults.add(
        Fault("http", "SyncFolderItems", "ANNA@example.com", times=2, status=502),
        Fault("http", "SyncFolderItems", "anna@example.com", times=None, status=403),
    )
    item_id = made(mailbox)
    assert ask(simulator, get(item_id), mailbox=mailbox).status == 200
    assert ask(simulator, sync(), mailbox=other).status == 200
    answers = [ask(simulator, sync(), mailbox=mailbox).status for _ in range(4)]
    assert answers == [502, 502, 403, 403]
    simulator.faults.clear()
    assert ask(simulator, sync(), mailbox=mailbox).status == 200


def test_luck_is_drawn_from_the_seed() -> None:
    def story(seed: int) -> list[int]:
        simulator = Simulator(clock=Clock(), seed=seed)
        mailbox = simulator.add_mailbox("anna@example.com")
        simulator.faults.add(Fault("http", times=None, probability=0.5, status=500))
        return [ask(simulator, sync(), mailbox=mailbox).status for _ in range(40)]

    assert story(1) == story(1)
    assert story(1) != story(2)
    assert {200, 500} == set(story(1))


def test_every_kind_of_fault_that_strikes_requests_is_told_of_in_these_tests() -> None:
    text = re.sub(r"\s+", " ", Path(__file__).read_text(encoding="utf-8"))
    asked = KINDS - set(MISHAPS)
    assert [kind for kind in sorted(asked) if f'"{kind}"' not in text] == []
