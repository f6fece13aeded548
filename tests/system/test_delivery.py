"""Exchange tells, Keepstep polls at once; whatever is lost is found by the safety poll."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

import pytest

from keepstep.core.decisions import RowState
from keepstep.core.delivery import Delivery
from keepstep.store.models import Appointment, Mailbox, Operator, Subscription, WayTrouble
from keepstep.store.operators import switch
from keepstep_simulator import Fault, Limits, MailboxModel, Pace, Simulator, serving
from tests.engine import NOW, Clock, add_operator
from tests.oracle import Oracle, assert_in_step
from tests.telling import Hearing, until

pytestmark = pytest.mark.usefixtures("database")

PACE = Pace(minute=60, heartbeat=0.2, patience=5, gather=0)
BY_NOTIFICATION = [Delivery.PUSH, Delivery.STREAMING]


@asynccontextmanager
async def exchange(count: int, seed: int = 1) -> AsyncIterator[tuple[Simulator, str, Clock]]:
    clock = Clock()
    server = Simulator(clock=clock, seed=seed, version="Exchange2016", pace=PACE)
    for number in range(count):
        email = f"m{number:02}@example.com"
        server.add_mailbox(email)
        add_operator(email)
    async with serving(server) as url:
        yield server, url, clock


def boxes(server: Simulator) -> list[MailboxModel]:
    return list(server.mailboxes.values())


def meet(mailbox: MailboxModel, subject: str, days: int = 1) -> str:
    start = NOW + timedelta(days=days)
    return mailbox.create(subject=subject, start=start, end=start + timedelta(hours=1))


def subjects() -> list[str]:
    live = Appointment.objects.filter(state=RowState.LIVE)
    return sorted(each.subject for each in live)


def polls(server: Simulator) -> int:
    return len(server.requests("SyncFolderItems"))


def covered(clock: Clock) -> int:
    return Mailbox.objects.filter(covered_until__gt=clock()).count()


@asynccontextmanager
async def told_of(
    server: Simulator, url: str, clock: Clock, delivery: Delivery, **options: bool
) -> AsyncIterator[Hearing]:
    """Keepstep after its first round, all mailboxes covered."""
    async with Hearing(server, url, clock, delivery, **options) as hearing:
        await hearing.run()
        await until(lambda: covered(clock) == len(server.mailboxes), "all to be covered")
        # The round after the subscription: what was changed before it was told to nobody.
        await settled(server)
        yield hearing


async def settled(server: Simulator) -> None:
    before = -1
    while before != (now := polls(server)):
        before = now
        await asyncio.sleep(0.7)


@pytest.mark.parametrize("delivery", BY_NOTIFICATION)
async def test_a_change_is_in_the_calendar_without_any_run_of_the_job(delivery: Delivery) -> None:
    async with exchange(5) as (server, url, clock), told_of(server, url, clock, delivery):
        item = meet(boxes(server)[3], "Lunch")
        await until(lambda: subjects() == ["Lunch"], "the meeting to come in", 5)
        boxes(server)[3].update(item, subject="Dinner")
        await until(lambda: subjects() == ["Dinner"], "the change to come in", 5)
        boxes(server)[3].delete(item)
        await until(lambda: subjects() == [], "the removal", 5)


async def test_what_is_heard_before_a_subscription_is_stored_counts_too() -> None:
    """Exchange calls at once; subscribing to many takes longer than the notes of who was heard."""
    async with exchange(40) as (server, url, clock):
        server.faults.add(Fault("slow", "Subscribe", times=None, seconds=0.3))
        async with Hearing(server, url, clock, Delivery.PUSH) as us:
            await us.run()
            await until(lambda: covered(clock) == 40, "all to be covered")


@pytest.mark.parametrize("delivery", BY_NOTIFICATION)
async def test_while_notified_mailboxes_are_polled_once_in_a_safety_poll(
    delivery: Delivery,
) -> None:
    async with exchange(12) as (server, url, clock), told_of(server, url, clock, delivery) as us:
        assert await us.due() == 0
        # Time goes on and signs of life arrive.
        polled = 0
        for _ in range(60):
            clock.go(minutes=1)
            Mailbox.objects.update(covered_until=clock() + timedelta(minutes=2))
            polled += (await us.run()).mailboxes
        assert 12 <= polled <= 24
        since = [clock() - each.last_success for each in Mailbox.objects.all() if each.last_success]
        assert max(since) <= timedelta(minutes=60)


@pytest.mark.parametrize("delivery", BY_NOTIFICATION)
async def test_a_burst_leads_to_one_or_two_rounds(delivery: Delivery) -> None:
    async with exchange(2) as (server, url, clock), told_of(server, url, clock, delivery):
        await asyncio.sleep(5.1)  # since the last round of the mailbox, so that all is calm
        before = polls(server)
        for number in range(100):
            meet(boxes(server)[0], f"{number:02}")
            await asyncio.sleep(0.003)
        await until(lambda: len(subjects()) == 100, "all of the burst")
        await settled(server)
        assert polls(server) - before <= 3  # a round may need a second page


async def test_two_minutes_after_a_stream_was_cut_and_is_not_back_the_job_polls_again() -> None:
    async with (
        exchange(3) as (server, url, clock),
        told_of(server, url, clock, Delivery.STREAMING) as us,
    ):
        server.faults.add(Fault("lost-request", "GetStreamingEvents", times=None))
        server.notifier.drop_streams()
        await until(lambda: not server.notifier.streams, "the stream to end")
        await asyncio.sleep(1.5)
        assert await us.due() == 0
        clock.go(minutes=2, seconds=5)
        assert await us.due() == 3


async def test_when_nothing_was_heard_for_long_after_a_push_was_due_the_job_polls_again() -> None:
    async with (
        exchange(3) as (server, url, clock),
        told_of(server, url, clock, Delivery.PUSH) as us,
    ):
        clock.go(minutes=31)
        assert await us.due() == 0
        clock.go(minutes=1, seconds=5)
        assert await us.due() == 3


async def test_after_silence_of_twice_the_frequency_a_push_subscription_is_renewed() -> None:
    async with (
        exchange(3) as (server, url, clock),
        told_of(server, url, clock, Delivery.PUSH) as us,
    ):
        server.notifier.forget()
        clock.go(minutes=61)
        us.supervisor.wake()
        await until(lambda: len(server.notifier.subscriptions) == 3, "new subscriptions")
        meet(boxes(server)[1], "Lunch")
        await until(lambda: subjects() == ["Lunch"], "the meeting")


@pytest.mark.parametrize("delivery", BY_NOTIFICATION)
async def test_an_operator_that_is_switched_off_is_unsubscribed(delivery: Delivery) -> None:
    async with exchange(3) as (server, url, clock), told_of(server, url, clock, delivery) as us:
        await us.writer.call(switch, ["m01@example.com"], on=False)
        us.supervisor.wake()
        await until(lambda: Subscription.objects.count() == 2, "the subscription to end")
        if delivery is Delivery.STREAMING:
            await until(lambda: len(server.notifier.subscriptions) == 2, "Exchange to be told")
            return
        meet(boxes(server)[1], "Lunch")
        await until(lambda: len(server.notifier.subscriptions) == 2, "Exchange to be told")
        assert subjects() == []


async def test_after_a_restart_push_is_renewed_once_each_and_the_old_ones_end() -> None:
    async with exchange(6) as (server, url, clock):
        async with told_of(server, url, clock, Delivery.PUSH):
            pass
        before = server.counts()["Subscribe"]
        meet(boxes(server)[2], "Lunch")
        async with told_of(server, url, clock, Delivery.PUSH):
            assert server.counts()["Subscribe"] - before == 6
            await until(lambda: subjects() == ["Lunch"], "what was missed meanwhile")


@pytest.mark.parametrize("delivery", BY_NOTIFICATION)
async def test_settings_changed_while_subscriptions_are_made_leave_nobody_without(
    delivery: Delivery,
) -> None:
    async with exchange(30) as (server, url, clock):
        server.faults.add(Fault("slow", "Subscribe", times=None, seconds=0.2))
        async with Hearing(server, url, clock, delivery) as us:
            await us.run()
            await until(lambda: server.counts()["Subscribe"] > 8, "some subscriptions")
            await us.arrange(notification_frequency=20)
            server.faults.clear()
            await until(lambda: covered(clock) == 30, "all to be covered")
            await settled(server)
            for each in boxes(server):
                meet(each, each.email)
            await until(lambda: len(subjects()) == 30, "a meeting of each to come in", 5)
            if delivery is Delivery.STREAMING:
                assert len(server.notifier.streams) == 1, "one of the settings before is left"


async def test_a_listener_that_exchange_can_not_reach_is_told_and_streams_serve() -> None:
    async with (
        exchange(8) as (server, url, clock),
        Hearing(server, url, clock, Delivery.AUTOMATIC, reachable=False) as us,
    ):
        await us.run()
        await until(lambda: Subscription.objects.filter(way="push").count() == 5, "the probes")
        assert covered(clock) == 0
        clock.go(minutes=2, seconds=1)
        us.supervisor.wake()
        await until(lambda: covered(clock) == 3, "the others to have streams")
        trouble = WayTrouble.objects.get()
        assert (trouble.way, trouble.code) == ("push", "notifications-not-heard")
        assert Subscription.objects.filter(way="streaming").count() == 3


async def test_a_server_without_streams_is_polled_and_asked_once_in_an_hour() -> None:
    async with (
        exchange(4) as (server, url, clock),
        Hearing(server, url, clock, Delivery.STREAMING) as us,
    ):
        server.limits = Limits(streaming=False)
        await us.run()
        await until(lambda: WayTrouble.objects.exists(), "the refusal to be noted")
        for _ in range(5):
            us.supervisor.wake()
            await asyncio.sleep(0.1)
        assert server.counts()["Subscribe"] == 1
        assert WayTrouble.objects.get().code == "notifications-refused"
        assert await us.due() == 4
        server.limits = Limits()
        clock.go(hours=1, seconds=1)
        us.supervisor.wake()
        await until(lambda: covered(clock) == 4, "streams, now that there are some")
        assert not WayTrouble.objects.exists()


async def test_one_mailbox_that_is_refused_a_subscription_is_polled_and_the_others_told_of() -> (
    None
):
    async with (
        exchange(4) as (server, url, clock),
        Hearing(server, url, clock, Delivery.STREAMING) as us,
    ):
        refused = Fault(
            "error", "Subscribe", "m02@example.com", code="ErrorExceededSubscriptionCount"
        )
        server.faults.add(refused)
        await us.run()
        await until(lambda: covered(clock) == 3, "the others")
        row = Subscription.objects.get(mailbox__operator__email="m02@example.com")
        assert (row.way, row.code) == ("", "subscription-limit")
        assert await us.due() == 1


@pytest.mark.parametrize("seed", range(10 if os.environ.get("KEEPSTEP_SOAK") else 1))
@pytest.mark.parametrize("delivery", [*BY_NOTIFICATION, Delivery.AUTOMATIC])
async def test_whatever_is_lost_all_is_in_step_within_the_safety_poll(
    delivery: Delivery, seed: int
) -> None:
    """Three in ten notifications are lost, streams die, the product is restarted."""
    chance = Random(seed)
    async with exchange(10, seed) as (server, url, clock):
        server.faults.add(
            Fault("notification-lost", times=None, probability=0.3),
            Fault("notification-doubled", times=None, probability=0.1),
            Fault("notification-delayed", times=None, probability=0.1, seconds=0.3),
            Fault("notification-reordered", times=None, probability=0.1, seconds=0.2),
            Fault("subscription-forgotten", times=None, probability=0.02),
            Fault("stream-dropped", times=None, probability=0.05),
        )
        for _ in range(3):
            async with Hearing(server, url, clock, delivery) as us:
                await us.run()
                for _ in range(40):
                    await asyncio.sleep(chance.uniform(0, 0.06))
                    change(server, chance)
                    if chance.random() < 0.05:
                        server.notifier.drop_streams()
                    if chance.random() < 0.1:
                        clock.go(seconds=chance.uniform(0, 40))
        server.faults.clear()
        async with Hearing(server, url, clock, delivery) as us:
            began = clock()
            while clock() - began < timedelta(minutes=61):
                clock.go(minutes=5)
                await us.run()
            await settled(server)
        compare(server, clock)


def change(server: Simulator, chance: Random) -> None:
    mailbox = chance.choice(boxes(server))
    items = [each.id for each in mailbox.items()]
    what = chance.random()
    if not items or what < 0.5:
        meet(mailbox, f"Meeting {chance.random():.6f}", chance.randint(1, 60))
    elif what < 0.8:
        mailbox.update(chance.choice(items), subject=f"Changed {chance.random():.6f}")
    else:
        mailbox.delete(chance.choice(items))


def compare(server: Simulator, clock: Clock) -> None:
    for operator in Operator.objects.select_related("mailbox"):
        oracle = Oracle(server.mailboxes[operator.email])
        oracle.succeed(NOW)
        assert_in_step(oracle, operator.email, clock())
