"""Push: what is posted when, what a listener's answer brings about, and what goes wrong."""

import pytest
from lxml import etree

from keepstep_simulator import Fault, MailboxModel, Pace, Simulator
from keepstep_simulator.pushes import FAILED, LARGEST_WORD, MOST_EVENTS, OK, UNSUBSCRIBE, Post
from keepstep_simulator.pushes import outcome_of as outcome
from tests.shared_material import shared
from tests.simulator.notices import (
    URL,
    Ticks,
    Told,
    post_of,
    read_post,
    result,
    subscribed,
    to_push,
)
from tests.simulator.soap import Clock
from tests.simulator.test_faults import made

MINUTE = 60.0


class Listener:
    """Takes what is posted, and answers as it is told to."""

    def __init__(self, simulator: Simulator, ticks: Ticks) -> None:
        self.pushes = simulator.notifier.pushes
        self.ticks = ticks

    def take(self, answer: str = OK) -> list[Told]:
        posts = self.pushes.take(self.ticks.now)
        for each in posts:
            self.pushes.done(each, answer, self.ticks.now)
        return [read_post(each.body) for each in posts]

    def events(self) -> list[str]:
        """Take all that is due, and give the kinds of the events."""
        told = self.take()
        return [kind for each in told for kind in each.events] + (self.events() if told else [])

    def wait(self) -> float:
        """Let the time pass until something is due; gives how long that was."""
        before = self.ticks.now
        self.ticks.now = self.pushes.next_at()
        return self.ticks.now - before


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def simulator(clock: Clock, ticks: Ticks) -> Simulator:
    return Simulator(clock=clock, seed=1, ticks=ticks)


@pytest.fixture
def listener(simulator: Simulator, mailbox: MailboxModel, ticks: Ticks) -> Listener:
    """One that has heard that the subscription of the mailbox lives."""
    subscribed(simulator, mailbox, to_push(frequency=10))
    found = Listener(simulator, ticks)
    assert found.events() == ["StatusEvent"]
    return found


def test_each_change_is_posted_at_once(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    item_id = made(mailbox)
    assert listener.events() == ["CreatedEvent", "ModifiedEvent"]
    mailbox.update(item_id, subject="Other")
    (told,) = listener.take()
    assert (told.events, told.items) == (["ModifiedEvent"] * 2, [item_id])
    moved = made(mailbox)
    listener.events()
    mailbox.move_out(moved)
    mailbox.delete(item_id)
    assert listener.events() == ["MovedEvent", "ModifiedEvent", "DeletedEvent", "ModifiedEvent"]
    assert listener.take() == []


def test_only_the_kinds_of_events_that_are_wanted_are_told(
    simulator: Simulator, mailbox: MailboxModel, ticks: Ticks
) -> None:
    subscribed(simulator, mailbox, to_push(events=("DeletedEvent",)))
    listener = Listener(simulator, ticks)
    assert listener.events() == ["StatusEvent"]
    item_id = made(mailbox)
    assert listener.events() == []
    mailbox.delete(item_id)
    assert listener.events() == ["DeletedEvent"]


def test_a_burst_of_changes_is_told_together_up_to_a_bound(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    ids = [made(mailbox) for _ in range(MOST_EVENTS)]
    first, *rest = listener.take() + listener.take()
    assert (len(first.events), first.more) == (MOST_EVENTS, True)
    assert (len(rest), rest[-1].more) == (1, False)
    assert first.items + rest[0].items == ids


def test_watermarks_follow_one_another(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    made(mailbox)
    (first,) = listener.take()
    made(mailbox)
    (second,) = listener.take()
    assert second.previous == first.watermarks[-1]
    assert len({*first.watermarks, *second.watermarks}) == 4


def test_what_happens_while_a_post_is_under_way_waits_for_its_answer(
    simulator: Simulator, mailbox: MailboxModel, ticks: Ticks
) -> None:
    subscribed(simulator, mailbox, to_push())
    pushes = simulator.notifier.pushes
    under_way = post_of(pushes.take(ticks.now))
    made(mailbox)
    made(mailbox)
    assert pushes.take(ticks.now) == []
    pushes.done(under_way, OK, ticks.now)
    assert len(read_post(post_of(pushes.take(ticks.now)).body).items) == 2


def test_a_sign_of_life_comes_as_often_as_asked_for(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener, ticks: Ticks
) -> None:
    assert listener.wait() == 10 * MINUTE
    assert listener.events() == ["StatusEvent"]
    ticks.now += 4 * MINUTE
    made(mailbox)
    assert listener.events() == ["CreatedEvent", "ModifiedEvent"]
    listener.wait()
    assert listener.take() == []
    assert listener.wait() == 4 * MINUTE
    assert listener.events() == ["StatusEvent"]


def test_minutes_can_be_made_short(clock: Clock, ticks: Ticks) -> None:
    simulator = Simulator(clock=clock, ticks=ticks, pace=Pace(minute=0.5))
    subscribed(simulator, simulator.add_mailbox("anna@example.com"), to_push(frequency=2))
    listener = Listener(simulator, ticks)
    listener.events()
    assert listener.wait() == 1.0
    assert [each.events for each in listener.take(FAILED)] == [["StatusEvent"]]
    assert listener.wait() == 0.25


def test_a_listener_that_does_not_answer_is_tried_again_ever_later_and_then_given_up(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener, ticks: Ticks
) -> None:
    made(mailbox)
    began = ticks.now
    tries = []
    while len(simulator.notifier.subscriptions):
        tries.append(ticks.now - began)
        (told,) = listener.take(FAILED)
        assert told.events[0] == "CreatedEvent"
        if len(simulator.notifier.subscriptions):
            listener.wait()
    assert tries == [0, 30, 60, 120, 240, 480]


def test_a_listener_that_answers_again_gets_what_it_missed(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    first = made(mailbox)
    listener.take(FAILED)
    second = made(mailbox)
    assert listener.take() == []
    assert listener.wait() == 30
    (told,) = listener.take()
    assert told.items == [first, second]
    made(mailbox)
    assert len(listener.take()) == 1


def test_a_listener_can_end_its_subscription(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    made(mailbox)
    assert len(listener.take(UNSUBSCRIBE)) == 1
    assert len(simulator.notifier.subscriptions) == 0
    made(mailbox)
    assert listener.take() == []


def test_what_a_listener_answers_is_understood() -> None:
    assert outcome(200, result("OK")) == OK
    assert outcome(200, result("Unsubscribe")) == UNSUBSCRIBE
    assert outcome(500, result("OK")) == FAILED
    assert outcome(200, b"") == FAILED
    assert outcome(200, b"OK") == FAILED
    assert outcome(200, result("OK").replace(b"Body>", b"Head>")) == FAILED
    assert outcome(200, result("OK") + b" " * LARGEST_WORD) == FAILED


def test_it_is_told_as_a_real_server_tells_it(
    simulator: Simulator, mailbox: MailboxModel, ticks: Ticks, listener: Listener
) -> None:
    item_id = made(mailbox)
    listener.events()
    mailbox.update(item_id, subject="Other")
    post = post_of(simulator.notifier.pushes.take(ticks.now))
    real = shared("ews-samples", "field", "sendnotification-modified-item-and-folder.xml")
    assert post.url == URL
    assert outline(post.body) == outline(real.read_bytes())


def outline(body: bytes) -> list[tuple[str, list[str]]]:
    """Give the elements, in order, with the names of their attributes."""
    return [(str(each.tag), sorted(each.keys())) for each in etree.fromstring(body).iter()]


@pytest.mark.parametrize("what", ["change", "status"])
def test_a_notification_is_lost_and_the_server_does_not_know(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener, what: str
) -> None:
    simulator.faults.add(Fault("notification-lost", "SendNotification", what=what))
    made(mailbox)
    assert (listener.events() == []) == (what == "change")
    listener.wait()
    assert (listener.events() == []) == (what == "status")
    made(mailbox)
    assert listener.events() == ["CreatedEvent", "ModifiedEvent"]
    lost = [each for each in simulator.notifier.told if each.fault]
    assert [each.fault for each in lost] == ["notification-lost"]


def test_a_notification_is_late(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    simulator.faults.add(Fault("notification-delayed", seconds=7))
    late = made(mailbox)
    assert listener.take() == []
    made(mailbox)
    assert len(listener.take()) == 1
    assert listener.wait() == 7
    assert [each.items for each in listener.take()] == [[late]]


def test_a_notification_comes_twice(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    simulator.faults.add(Fault("notification-doubled", mailbox="anna@example.com"))
    made(mailbox)
    first, second = listener.take()
    assert first == second
    made(mailbox)
    assert len(listener.take()) == 1


def test_notifications_change_places(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    simulator.faults.add(Fault("notification-reordered"))
    first = made(mailbox)
    assert listener.take() == []
    second = made(mailbox)
    assert [each.items for each in listener.take() + listener.take()] == [[second], [first]]


def test_a_held_notification_comes_without_another(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    simulator.faults.add(Fault("notification-reordered", seconds=3))
    item_id = made(mailbox)
    assert listener.take() == []
    assert listener.wait() == 3
    assert [each.items for each in listener.take()] == [[item_id]]


def test_a_server_tells_without_watermarks(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    simulator.faults.add(Fault("notification-without-watermarks"))
    made(mailbox)
    (told,) = listener.take()
    assert (told.watermarks, told.previous) == (["", ""], None)


def test_a_listener_cannot_be_reached(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    simulator.faults.add(Fault("listener-refused", times=2))
    item_id = made(mailbox)
    assert listener.take() == []
    assert listener.wait() == 30
    assert listener.take() == []
    assert listener.wait() == 30
    assert [each.items for each in listener.take()] == [[item_id]]


def test_a_subscription_is_forgotten_as_it_should_tell(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener
) -> None:
    simulator.faults.add(Fault("subscription-forgotten"))
    made(mailbox)
    assert listener.take() == []
    assert len(simulator.notifier.subscriptions) == 0


def test_luck_is_drawn_from_the_seed(clock: Clock) -> None:
    def story(seed: int) -> list[bool]:
        ticks = Ticks()
        simulator = Simulator(clock=clock, seed=seed, ticks=ticks)
        mailbox = simulator.add_mailbox("anna@example.com")
        subscribed(simulator, mailbox, to_push())
        listener = Listener(simulator, ticks)
        listener.take()
        simulator.faults.add(Fault("notification-lost", times=None, probability=0.3))
        return [bool(made(mailbox) and listener.take()) for _ in range(60)]

    assert story(1) == story(1)
    assert story(1) != story(2)
    assert 5 < story(1).count(False) < 35


def test_faults_of_notifications_leave_requests_alone(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    simulator.faults.add(Fault("notification-lost"))
    assert subscribed(simulator, mailbox, to_push())
    assert len(simulator.faults) == 1
    assert simulator.log[-1].fault is None


def test_posts_are_counted(simulator: Simulator, mailbox: MailboxModel, listener: Listener) -> None:
    simulator.clear_counts()
    simulator.faults.add(Fault("notification-doubled"), Fault("notification-lost"))
    for _ in range(3):
        made(mailbox)
        listener.take()
    assert simulator.counts() == {"SendNotification": 3}
    assert len(list(simulator.notifier.told)) == 3


def test_a_stray_answer_changes_nothing(
    simulator: Simulator, mailbox: MailboxModel, listener: Listener, ticks: Ticks
) -> None:
    made(mailbox)
    post = post_of(simulator.notifier.pushes.take(ticks.now))
    stray = Post(post.subscription, post.url, post.body, post.position, tracked=False)
    simulator.notifier.pushes.done(stray, FAILED, ticks.now)
    assert listener.take() == []
    simulator.notifier.pushes.done(post, OK, ticks.now)
    assert listener.wait() == 10 * MINUTE
