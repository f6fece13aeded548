"""Webhooks: signed, in order, retried, given up and sent again; to no address that is forbidden."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from django.test import Client

from keepstep.core.decisions import What
from keepstep.core.errors import UsageError
from keepstep.core.redelivery import MOST_ATTEMPTS, again_at
from keepstep.core.roles import Role
from keepstep.core.signing import secret_of
from keepstep.notices.webhook_post import Post
from keepstep.store import accounts, audit, deliveries, erasure, operators, rotation, settings
from keepstep.store import webhooks as service
from keepstep.store.bulk import insert_history
from keepstep.store.models import Delivery, Operator, Webhook
from keepstep.store.writer import Writer
from keepstep.sync.webhooks import Webhooks
from tests.webhooks.receiver import Receiver, is_genuine, listening

pytestmark = pytest.mark.usefixtures("database")

BY = "admin@example.com"


class Now:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Now:
    return Now()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def anna(database: None) -> Operator:
    settings.change({"webhook_private_targets": "on"})
    return operators.add("anna@example.com", {})


@pytest.fixture
def bruno(anna: Operator) -> Operator:
    return operators.add("bruno@example.com", {})


Tell = Callable[[], int]


@pytest.fixture
def tell(clock: Now) -> Callable[[], Any]:
    """Have the leader look once; gives how many deliveries were taken."""

    async def once() -> int:
        async with Writer() as writer:
            found = settings.load(with_secrets=False)
            return await Webhooks(writer, clock, lambda: found, lambda: 0.5).look(found)

    return once


def add(url: str, *events: str) -> tuple[int, str]:
    return service.add(url, events, datetime.now(UTC), by=BY)


def happen(operator: Operator, *whats: What, uid: str = "meeting") -> None:
    """Write changes as rounds do."""
    at = datetime.now(UTC)
    mailbox = operator.mailbox.pk
    insert_history([(mailbox, uid, uid, at, each.value, "unchanged") for each in whats])


async def test_a_change_is_told_signed_with_the_id_of_the_appointment_and_no_text(
    receiver: Receiver, anna: Operator, tell: Callable[[], Any]
) -> None:
    happen(anna, What.CREATED, uid="before")
    _, receiver.secret = add(receiver.url)
    happen(anna, What.CREATED, What.UPDATED, What.SKIPPED, uid="secret uid")
    assert await tell() == 1
    (document,) = receiver.taken
    assert (document["type"], document["operator_id"]) == ("appointments.changed", anna.pk)
    assert [each["event"] for each in document["events"]] == ["created", "changed"]
    assert document["events"][0]["appointment"].startswith(f"{anna.mailbox.pk}-")
    headers, body = receiver.requests[0]
    assert b"secret uid" not in body
    assert not is_genuine(receiver.secret, headers, body + b" ")
    assert not is_genuine("whsec_" + "A" * 44, headers, body)
    assert await tell() == 0


async def test_what_is_not_taken_is_tried_again_with_growing_pauses_and_keeps_its_order(
    receiver: Receiver, anna: Operator, bruno: Operator, clock: Now, tell: Callable[[], Any]
) -> None:
    add(receiver.url)
    receiver.status = lambda document: 503 if document["operator_id"] == anna.pk else 200
    happen(anna, What.CREATED)
    happen(bruno, What.CREATED)
    await tell()
    happen(anna, What.UPDATED)
    happen(bruno, What.UPDATED)
    await tell()
    await tell()
    assert receiver.events() == [(bruno.pk, "created"), (bruno.pk, "changed")]
    tried = len(receiver.requests)
    await tell()
    assert len(receiver.requests) == tried  # it is not its time yet
    waiting = Delivery.objects.order_by("pk")[0]
    assert (waiting.attempts, waiting.problem) == (1, "answered with status 503")
    clock.at += timedelta(seconds=10)
    await tell()
    assert Delivery.objects.order_by("pk")[0].attempts == 2
    receiver.status = lambda document: 200
    clock.at += timedelta(seconds=20)
    await tell()
    assert receiver.events()[2:] == [(anna.pk, "created"), (anna.pk, "changed")]
    assert not Delivery.objects.exists()


def test_pauses_grow_to_two_hours_and_end_after_more_than_a_day() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    pauses = []
    for attempt in range(1, MOST_ATTEMPTS):
        again = again_at(attempt, now, 0.5)
        assert again is not None
        pauses.append(again - now)
    assert pauses[:3] == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=40)]
    assert pauses == sorted(pauses)
    assert max(pauses) == timedelta(hours=2)
    assert sum(pauses, timedelta()) > timedelta(days=1)
    assert again_at(MOST_ATTEMPTS, now, 0.5) is None
    early, late = again_at(1, now, 0), again_at(1, now, 1)
    assert early == now + timedelta(seconds=7.5)
    assert late == now + timedelta(seconds=12.5)


async def test_what_is_given_up_waits_for_a_person_who_has_it_sent_again_from_the_page(
    receiver: Receiver, anna: Operator, clock: Now, tell: Callable[[], Any]
) -> None:
    number, _ = add(receiver.url)
    receiver.status = lambda document: 500
    happen(anna, What.CREATED)
    for _ in range(MOST_ATTEMPTS):
        await tell()
        clock.at += timedelta(hours=3)
    (hook,) = service.listing()
    assert (hook.waiting, hook.dead, hook.problem) == (0, 1, "answered with status 500")
    receiver.status = lambda document: 200
    happen(anna, What.UPDATED)
    await tell()
    assert [event for _, event in receiver.events()] == ["changed"]  # it blocks no later one

    def on_the_page() -> tuple[str, str]:
        client = Client()
        account = accounts.create(BY, Role.ADMINISTRATOR)
        client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        before = client.get(f"/settings/webhooks/{number}").content.decode()
        client.post(
            f"/settings/webhooks/{number}/replay", {"delivery": str(Delivery.objects.get().pk)}
        )
        return before, client.get(f"/settings/webhooks/{number}").content.decode()

    before, after = on_the_page()
    assert "Send again" in before
    assert "Send again" not in after
    assert audit.listing(limit=1)[0].action == "webhook.replay"
    await tell()
    assert [event for _, event in receiver.events()] == ["changed", "created"]
    assert not Delivery.objects.exists()


async def test_a_webhook_is_told_of_what_it_asked_for_and_while_it_is_off_later(
    receiver: Receiver, anna: Operator, tell: Callable[[], Any]
) -> None:
    number, _ = add(receiver.url, "removed")
    service.change(number, enabled=False, by=BY)
    happen(anna, What.CREATED, What.REMOVED)
    assert await tell() == 0
    service.change(number, enabled=True, by=BY)
    assert await tell() == 1
    assert receiver.events() == [(anna.pk, "removed")]


async def test_nothing_is_lost_or_told_twice_if_the_process_ends_between_two_deliveries(
    receiver: Receiver, anna: Operator, bruno: Operator, clock: Now, tell: Callable[[], Any]
) -> None:
    number, _ = add(receiver.url)
    happen(anna, *[What.UPDATED] * 250)
    happen(bruno, What.CREATED)
    deliveries.make(number, clock(), timedelta(days=90))  # and the process is no more
    await tell()
    assert len(receiver.events()) == 251
    assert len({document["delivery"] for document in receiver.taken}) == len(receiver.taken)


async def test_a_redirect_is_not_followed(
    receiver: Receiver, anna: Operator, tell: Callable[[], Any]
) -> None:
    add(receiver.url)
    receiver.status = lambda document: 307
    happen(anna, What.CREATED)
    await tell()
    assert Delivery.objects.get().problem == "answered with status 307"
    assert len(receiver.requests) == 1


async def test_a_receiver_that_is_not_there_is_said_to_be_unreachable(
    anna: Operator, tell: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        add(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        happen(anna, What.CREATED)
        await tell()
    assert Delivery.objects.get().problem.startswith("can't be reached")
    assert [each.code for each in caplog.records if hasattr(each, "code")] == [
        "webhook-not-delivered"
    ]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.1.2.3", "192.168.1.1", "[::1]", "[fd00::1]", "0x7f000001",
     "[::ffff:10.0.0.1]", "100.64.0.1"],
)  # fmt: skip
def test_an_address_within_the_network_is_refused_unless_the_administrator_allows_it(
    anna: Operator, host: str
) -> None:
    settings.change({"webhook_private_targets": "off"})
    with pytest.raises(UsageError) as refused:
        add(f"http://{host}/hook")
    assert refused.value.code == "webhook-target-forbidden"
    settings.change({"webhook_private_targets": "on"})
    add(f"http://{host}/hook")


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "metadata.google.internal"])
def test_cloud_metadata_and_the_local_link_are_never_allowed(anna: Operator, host: str) -> None:
    with pytest.raises(UsageError, match="must not lead to"):
        add(f"http://{host}/hook")


class NameService(AbstractResolver):
    """Says of every name that it is an address of this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET}
        return [ResolveResult(**found, proto=0, flags=socket.AI_NUMERICHOST)]

    async def close(self) -> None:
        return


@pytest.mark.parametrize("private", [False, True])
async def test_what_a_name_resolves_to_is_asked_about_when_it_is_connected_to(
    receiver: Receiver, private: bool
) -> None:
    port = receiver.url.partition("//127.0.0.1:")[2]
    async with Post(private=private, resolver=NameService()) as post:
        secret = secret_of(b"17")
        why = await post.send(f"http://crm.example.com:{port}", secret, "1", 1, {"events": []})
    assert why == ("" if private else "webhook-target-forbidden")
    assert len(receiver.requests) == private


async def test_an_address_that_was_allowed_once_is_not_any_more(
    receiver: Receiver, anna: Operator, tell: Callable[[], Any]
) -> None:
    add(receiver.url)
    happen(anna, What.CREATED)
    settings.change({"webhook_private_targets": "off"})
    await tell()
    assert Delivery.objects.get().problem == "webhook-target-forbidden"
    assert receiver.requests == []


async def test_the_secret_is_stored_encrypted_survives_a_new_key_and_can_be_renewed(
    home: Any, receiver: Receiver, anna: Operator, tell: Callable[[], Any]
) -> None:
    number, receiver.secret = add(receiver.url)
    assert receiver.secret not in Webhook.objects.get().secret
    rotation.rotate()
    happen(anna, What.CREATED)
    assert await tell() == 1
    old, receiver.secret = receiver.secret, service.renew_secret(number, by=BY)
    happen(anna, What.UPDATED)
    assert await tell() == 1
    assert not is_genuine(old, *receiver.requests[-1])


async def test_of_an_erased_operator_nothing_is_told_any_more(
    receiver: Receiver, anna: Operator, clock: Now, tell: Callable[[], Any]
) -> None:
    number, _ = add(receiver.url)
    happen(anna, What.CREATED)
    deliveries.make(number, clock(), timedelta(days=90))
    erasure.erase("anna@example.com")
    assert not Delivery.objects.exists()
    assert await tell() == 0
