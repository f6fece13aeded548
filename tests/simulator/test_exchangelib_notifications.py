"""exchangelib, a real and independent client, subscribes to the simulator and understands it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import pytest
from exchangelib import BASIC, IMPERSONATION, Account, Configuration, Credentials
from exchangelib.errors import (
    ErrorExceededConnectionCount,
    ErrorExceededSubscriptionCount,
    ErrorInvalidPushSubscriptionUrl,
    ErrorSubscriptionNotFound,
)
from exchangelib.properties import (
    CreatedEvent,
    DeletedEvent,
    FreeBusyChangedEvent,
    ModifiedEvent,
    MovedEvent,
    StatusEvent,
)
from exchangelib.protocol import BaseProtocol, close_connections
from exchangelib.services import SendNotification

from keepstep_simulator import Limits, MailboxModel, Pace, Simulator, SimulatorThread
from tests.simulator.soap import Clock
from tests.simulator.test_faults import made
from tests.system.product import wait_for


@pytest.fixture
def simulator(clock: Clock) -> Simulator:
    return Simulator(clock=clock, seed=1, pace=Pace(minute=0.5, heartbeat=0.1))


@pytest.fixture
def served(simulator: Simulator) -> Iterator[SimulatorThread]:
    BaseProtocol.TIMEOUT = 10
    with SimulatorThread(simulator) as thread:
        yield thread
    close_connections()


@pytest.fixture
def account(served: SimulatorThread, mailbox: MailboxModel) -> Account:
    configuration = Configuration(
        service_endpoint=served.url, credentials=Credentials("svc", "secret"), auth_type=BASIC
    )
    return Account(
        mailbox.email, config=configuration, autodiscover=False, access_type=IMPERSONATION
    )


def told_to(notifications: list[Any]) -> list[Any]:
    return [event for each in notifications for event in each.events]


def test_it_hears_of_changes_by_a_stream(account: Account, mailbox: MailboxModel) -> None:
    subscription = account.calendar.subscribe_to_streaming()
    kept, gone, moved = made(mailbox), made(mailbox), made(mailbox)
    mailbox.update(kept, start=mailbox.get(kept).start - timedelta(hours=1))
    mailbox.delete(gone)
    mailbox.move_out(moved)
    notifications = list(account.calendar.get_streaming_events(subscription, connection_timeout=1))
    assert {each.subscription_id for each in notifications} == {subscription}
    events = told_to(notifications)
    of_items = [each for each in events if getattr(each, "item_id", None)]
    created = [each.item_id.id for each in of_items if isinstance(each, CreatedEvent)]
    assert created == [kept, gone, moved]
    changed = [each.item_id.id for each in of_items if isinstance(each, ModifiedEvent)]
    assert changed == [kept]
    assert [each.item_id.id for each in of_items if isinstance(each, DeletedEvent)] == [gone]
    (one,) = [each for each in of_items if isinstance(each, MovedEvent)]
    assert (one.old_item_id.id, one.old_parent_folder_id.id) == (moved, account.calendar.id)
    assert any(isinstance(each, FreeBusyChangedEvent) for each in of_items)
    assert any(isinstance(each, StatusEvent) for each in events)
    account.calendar.unsubscribe(subscription)
    with pytest.raises(ErrorSubscriptionNotFound):
        account.calendar.unsubscribe(subscription)
    with pytest.raises(ErrorSubscriptionNotFound):
        list(account.calendar.get_streaming_events(subscription, connection_timeout=1))


def test_it_hears_at_once(account: Account, mailbox: MailboxModel) -> None:
    with account.calendar.streaming_subscription() as subscription:
        heard = account.calendar.get_streaming_events(subscription, connection_timeout=30)
        assert isinstance(next(heard).events[0], StatusEvent)
        item_id = made(mailbox)
        events = (event for each in heard for event in each.events)
        created = next(each for each in events if isinstance(each, CreatedEvent))
        assert created.item_id.id == item_id
        heard.close()


@contextmanager
def listening(heard: Queue[bytes], answer: list[bytes]) -> Iterator[str]:
    """Listen at the address that is given; the last answer is given for ever."""

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.put(self.rfile.read(int(self.headers["Content-Length"])))
            said = answer.pop(0) if len(answer) > 1 else answer[0]
            self.send_response(200)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/push"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_understands_what_is_pushed_and_is_understood(
    simulator: Simulator, account: Account, mailbox: MailboxModel
) -> None:
    heard: Queue[bytes] = Queue()
    service = SendNotification(protocol=account.protocol)
    answers = [service.ok_payload(), service.ok_payload(), service.unsubscribe_payload()]
    with listening(heard, answers) as url:
        wanted, watermark = account.calendar.subscribe_to_push(url, status_frequency=1)
        (first,) = service.parse(heard.get(timeout=5))
        item_id = made(mailbox)
        (second,) = service.parse(heard.get(timeout=5))
        (third,) = service.parse(heard.get(timeout=5))
        # The answer, by which the subscription ends, is still under way.
        wait_for(lambda: not len(simulator.notifier.subscriptions), "its end", seconds=5)
    assert {each.subscription_id for each in (first, second, third)} == {wanted}
    assert [type(each) for each in first.events] == [StatusEvent]
    assert (first.more_events, second.more_events) == (False, False)
    assert second.events[0].item_id.id == item_id
    assert isinstance(second.events[0], CreatedEvent)
    assert second.events[0].watermark
    assert third.previous_watermark == second.events[-1].watermark
    assert isinstance(third.events[0], StatusEvent)
    assert watermark


def test_it_understands_what_is_refused(
    simulator: Simulator, account: Account, mailbox: MailboxModel
) -> None:
    with pytest.raises(ErrorInvalidPushSubscriptionUrl):
        account.calendar.subscribe_to_push("ftp://127.0.0.1/push")
    simulator.limits = Limits(subscriptions=1, streams=0)
    subscription = account.calendar.subscribe_to_streaming()
    with pytest.raises(ErrorExceededSubscriptionCount):
        account.calendar.subscribe_to_streaming()
    with pytest.raises(ErrorExceededConnectionCount):
        list(account.calendar.get_streaming_events(subscription, connection_timeout=1))
