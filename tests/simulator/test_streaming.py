"""GetStreamingEvents: what an answer that goes on says, how it ends, and what goes wrong."""

from pathlib import Path

import pytest
from lxml import etree

from keepstep_simulator import Fault, Limits, MailboxModel, Pace, Simulator
from keepstep_simulator.news import EVENT_KINDS
from keepstep_simulator.streams import MOST_EVENTS
from keepstep_simulator.transit import MISHAPS
from tests.shared_material import shared
from tests.simulator.notices import Ear, Ticks, away, listen, subscribed, to_stream
from tests.simulator.soap import Clock, ask, fault_code
from tests.simulator.test_faults import made

FIELD = ("ews-samples", "field")


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def simulator(clock: Clock, ticks: Ticks) -> Simulator:
    return Simulator(clock=clock, seed=1, ticks=ticks)


@pytest.fixture
def ear(simulator: Simulator, mailbox: MailboxModel) -> Ear:
    """One that has heard the stream of the mailbox's subscription begin."""
    found = Ear(simulator, mailbox, subscribed(simulator, mailbox).id, minutes=10)
    assert [each.status for each in found.hear()] == ["OK"]
    return found


def test_a_stream_begins_tells_changes_and_ends(
    simulator: Simulator, mailbox: MailboxModel, ear: Ear, ticks: Ticks
) -> None:
    assert ear.hear() == []
    item_id = made(mailbox)
    (heard,) = ear.hear()
    (told,) = heard.told
    assert (told.events, told.items) == (["CreatedEvent", "ModifiedEvent"], [item_id])
    assert (told.watermarks, heard.status) == (["", ""], None)
    ticks.now += 10 * 60
    assert [each.status for each in ear.hear()] == ["Closed"]
    assert ear.flow.over
    assert ear.hear() == []


def test_a_silent_stream_says_that_it_is_alive(
    simulator: Simulator, mailbox: MailboxModel, ear: Ear, ticks: Ticks
) -> None:
    assert ear.flow.next_at() == ticks.now + 15
    ticks.now += 15
    (heard,) = ear.hear()
    assert (heard.status, [each.events for each in heard.told]) == ("OK", [["StatusEvent"]])
    ticks.now += 10
    made(mailbox)
    assert len(ear.hear()) == 1
    assert ear.flow.next_at() == ticks.now + 15


@pytest.mark.parametrize("minutes", ["0", "31", "", "x"])
def test_a_stream_lasts_1_to_30_minutes(
    simulator: Simulator, mailbox: MailboxModel, minutes: str
) -> None:
    request = listen(subscribed(simulator, mailbox).id).replace(">30<", f">{minutes}<")
    assert fault_code(ask(simulator, request, mailbox=mailbox)) == "ErrorSchemaValidation"


def test_one_stream_tells_of_many_mailboxes_in_one_envelope(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    boxes = [mailbox, *(simulator.add_mailbox(f"box{number}@example.com") for number in range(9))]
    ids = [subscribed(simulator, each).id for each in boxes]
    ear = Ear(simulator, mailbox, *ids)
    ear.hear()
    for each in boxes[2:5]:
        made(each)
    (heard,) = ear.hear()
    assert [each.subscription for each in heard.told] == ids[2:5]


def test_a_burst_of_changes_is_told_together(
    simulator: Simulator, mailbox: MailboxModel, ear: Ear
) -> None:
    woken = []
    ear.flow.wake = lambda: woken.append(True)
    ids = [made(mailbox) for _ in range(MOST_EVENTS)]
    (heard,) = ear.hear()
    assert [each for told in heard.told for each in told.items] == ids
    assert len(heard.told) == 2
    assert len(woken) == len(ids)


def test_what_happens_between_two_streams_is_told_by_the_second(
    simulator: Simulator, mailbox: MailboxModel, ear: Ear
) -> None:
    (subscription,) = simulator.notifier.subscriptions
    simulator.ended(ear.answer)
    item_id = made(mailbox)
    second = Ear(simulator, mailbox, subscription.id)
    greeting, heard = second.hear()
    assert (greeting.status, heard.told[0].items) == ("OK", [item_id])
    assert second.hear() == []


def test_a_second_stream_takes_the_subscription_from_the_first(
    simulator: Simulator, mailbox: MailboxModel, ear: Ear
) -> None:
    (subscription,) = simulator.notifier.subscriptions
    second = Ear(simulator, mailbox, subscription.id)
    (last,) = ear.hear()
    assert (last.code, last.status) == ("ErrorNewEventStreamConnectionOpened", "Closed")
    made(mailbox)
    assert ear.hear() == []
    assert second.events() == ["CreatedEvent", "ModifiedEvent"]


def test_a_stream_without_subscriptions_ends(
    simulator: Simulator, mailbox: MailboxModel, ear: Ear
) -> None:
    (subscription,) = simulator.notifier.subscriptions
    ask(simulator, away(subscription.id), mailbox=mailbox)
    assert [each.status for each in ear.hear()] == ["Closed"]


def test_a_stream_names_the_subscription_that_the_server_spoilt(
    simulator: Simulator, mailbox: MailboxModel, ear: Ear
) -> None:
    (subscription,) = simulator.notifier.subscriptions
    simulator.notifier.forget(why="ErrorInvalidSubscription")
    (last,) = ear.hear()
    assert (last.code, last.blamed) == ("ErrorInvalidSubscription", [subscription.id])
    assert ear.flow.over


def outline(body: bytes) -> list[tuple[str, list[str]]]:
    """Give the elements within the SOAP body, in order, with the names of their attributes."""
    content = etree.fromstring(body).find("{*}Body")
    assert content is not None
    return [(str(each.tag), sorted(each.keys())) for each in content.iter()]


def test_it_says_what_real_servers_say(
    simulator: Simulator, mailbox: MailboxModel, ticks: Ticks
) -> None:
    def real(name: str) -> list[tuple[str, list[str]]]:
        return outline(shared(*FIELD, f"getstreamingevents-{name}.xml").read_bytes())

    item_id = made(mailbox)
    ear = Ear(simulator, mailbox, subscribed(simulator, mailbox, to_stream(EVENT_KINDS)).id)
    ear.hear()
    mailbox.update(item_id, subject="Other")
    (changed,) = ear.flow.take(ticks.now)
    assert outline(changed) == real("modified-item-and-folder")
    ticks.now += 30 * 60
    (closed,) = ear.flow.take(ticks.now)
    assert outline(closed) == real("connection-closed")


def test_an_item_moved_to_the_deleted_ones_is_told_as_real_servers_tell_it(
    simulator: Simulator, mailbox: MailboxModel, ear: Ear, ticks: Ticks
) -> None:
    real = shared(*FIELD, "getstreamingevents-moved-to-deleted-items.xml").read_bytes()
    item_id = made(mailbox)
    ear.hear()
    mailbox.move_out(item_id)
    (moved,) = ear.flow.take(ticks.now)

    def of_the_event(body: bytes) -> list[tuple[str, list[str]]]:
        event = next(etree.fromstring(body).iter("{*}MovedEvent"))
        return [(str(each.tag), sorted(each.keys())) for each in event.iter()]

    assert of_the_event(moved) == of_the_event(real)
    assert item_id in next(etree.fromstring(moved).iter("{*}OldItemId")).get("Id", "")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_stream_is_dropped_within_an_envelope(
    simulator: Simulator, mailbox: MailboxModel, ear: Ear, ticks: Ticks, share: float
) -> None:
    simulator.faults.add(Fault("stream-dropped", what="change", share=share))
    made(mailbox)
    (part,) = ear.flow.take(ticks.now)
    assert ear.flow.dropped
    assert part.startswith(b"<?xml")
    assert not part.endswith(b"</s:Envelope>")
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(part)


def test_a_stream_falls_silent(
    simulator: Simulator, mailbox: MailboxModel, ear: Ear, ticks: Ticks
) -> None:
    simulator.faults.add(Fault("stream-silent", mailbox="anna@example.com"))
    made(mailbox)
    assert ear.hear() == []
    ticks.now += 60
    assert ear.hear() == []
    assert not ear.flow.dropped
    ticks.now = ear.flow.next_at()
    assert ear.hear() == []
    assert ear.flow.dropped


@pytest.mark.parametrize(
    ("fault", "at_once", "later"),
    [
        (Fault("notification-lost"), ["2"], []),
        (Fault("notification-doubled", times=2), ["1", "1", "2", "2"], []),
        (Fault("notification-delayed", seconds=4), ["2"], ["1"]),
        (Fault("notification-reordered", seconds=4), ["2", "1"], []),
        (Fault("notification-lost", "SendNotification"), ["1", "2"], []),
    ],
)
def test_what_a_stream_tells_goes_astray(
    simulator: Simulator,
    mailbox: MailboxModel,
    ear: Ear,
    ticks: Ticks,
    fault: Fault,
    at_once: list[str],
    later: list[str],
) -> None:
    names: dict[str, str] = {}

    def heard() -> list[str]:
        return [names[each] for one in ear.hear() for told in one.told for each in told.items]

    simulator.faults.add(fault)
    names[made(mailbox)] = "1"
    found = heard()
    names[made(mailbox)] = "2"
    assert found + heard() == at_once
    ticks.now += 4
    assert heard() == later


def test_a_subscription_is_forgotten_as_it_should_be_told_of(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    ben = simulator.add_mailbox("ben@example.com")
    ids = [subscribed(simulator, each).id for each in (mailbox, ben)]
    ear = Ear(simulator, mailbox, *ids)
    ear.hear()
    simulator.faults.add(Fault("subscription-forgotten", mailbox="ben@example.com"))
    made(mailbox)
    made(ben)
    (heard,) = ear.hear()
    assert [each.subscription for each in heard.told] == ids[:1]
    assert not ear.flow.over
    assert [each.id for each in simulator.notifier.subscriptions] == ids[:1]


def test_a_request_that_fails_after_all_keeps_no_stream_open(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    simulator.limits = Limits(streams=1)
    wanted = subscribed(simulator, mailbox).id
    simulator.faults.add(Fault("lost-answer", "GetStreamingEvents", times=3))
    for _ in range(3):
        assert ask(simulator, listen(wanted), mailbox=mailbox).delivery.drop
    assert simulator.notifier.streams == set()
    assert Ear(simulator, mailbox, wanted).hear()[0].status == "OK"


def test_minutes_can_be_made_short(clock: Clock, ticks: Ticks) -> None:
    simulator = Simulator(clock=clock, ticks=ticks, pace=Pace(minute=0.1, heartbeat=0.02))
    mailbox = simulator.add_mailbox("anna@example.com")
    ear = Ear(simulator, mailbox, subscribed(simulator, mailbox).id, minutes=5)
    ear.hear()
    ticks.now += 0.03
    assert [each.status for each in ear.hear()] == ["OK"]
    ticks.now += 0.5
    assert [each.status for each in ear.hear()] == ["Closed"]


def test_a_stream_is_one_request(simulator: Simulator, mailbox: MailboxModel, ear: Ear) -> None:
    made(mailbox)
    ear.hear()
    assert simulator.counts() == {"Subscribe": 1, "GetStreamingEvents": 1}
    (entry,) = simulator.requests("GetStreamingEvents", "anna@example.com")
    assert (entry.status, entry.code, entry.details["subscriptions"]) == (200, None, 1)


def test_every_kind_of_mishap_is_told_of_in_these_tests() -> None:
    here = Path(__file__)
    texts = [here.read_text("utf-8"), here.with_name("test_pushing.py").read_text("utf-8")]
    assert [kind for kind in MISHAPS if f'"{kind}"' not in "".join(texts)] == []
