"""The listener takes in what Exchange says, and shrugs off everything else."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepstep.exchange.ews.push import MOST_BYTES
from keepstep.store.subscriptions import new_address_key, token_of
from tests.samples import files
from tests.web.listening import NOW, SUBSCRIPTION, Called

SOAK = bool(os.environ.get("KEEPSTEP_SOAK"))
BODIES = 1_000_000 if SOAK else 10_000
BY_HYPOTHESIS = 1_000
KIB_MORE = 48 * 1024
SAMPLE = "field/sendnotification-modified-item-and-folder.xml"

WORDS = (
    *(b"<t:", b"</t:", b"/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"&#0;", b"<![CDATA["),
    *(b"SubscriptionId", b"StatusEvent", b"CreatedEvent", b"MoreEvents", b"Watermark", b"Error"),
    *(b"SendNotification", b"m:Notification", b"soap11:Body", b"Fault", b"\xff\xfe", b"\x00"),
    *(b"true", b"<a>" * 300, b"=" * 500, SUBSCRIPTION.encode(), b"ResponseClass='Error'"),
)


def sample() -> bytes:
    return files.content(SAMPLE)


async def test_a_real_notification_marks_the_mailbox_and_is_answered_ok() -> None:
    called = Called()
    said = await called.call(sample())
    assert said.status == 200
    assert b"<SubscriptionStatus>OK<" in said.body
    assert called.told()


async def test_it_may_come_in_pieces() -> None:
    called = Called()
    whole = sample()
    assert (await called.call([whole[:100], whole[100:900], whole[900:]])).status == 200
    assert called.told()


async def test_one_that_was_told_before_changes_nothing() -> None:
    called = Called()
    await called.call(sample())
    assert called.told()
    assert (await called.call(sample())).status == 200
    assert not called.told()


async def test_one_of_another_subscription_is_unsubscribed() -> None:
    called = Called()
    said = await called.call(sample().replace(SUBSCRIPTION.encode(), b"another"))
    assert b"<SubscriptionStatus>Unsubscribe<" in said.body
    assert not called.told()


async def test_an_address_of_ours_that_is_no_longer_known_is_unsubscribed() -> None:
    called = Called()
    said = await called.call(sample(), token=token_of(new_address_key(NOW)))
    assert b"<SubscriptionStatus>Unsubscribe<" in said.body


@pytest.mark.parametrize(
    "change",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: "A" * len(token),
        lambda token: token[:24] + "B" * 24,
        lambda token: "é" * 48,
        lambda token: "A" * 5000,
    ],
)
async def test_a_forged_address_is_refused_before_its_body_is_read(change: object) -> None:
    called = Called()
    forged = change(called.token)  # type: ignore[operator]
    assert (await called.call([b"never read"] * 3, token=forged)).status == 404
    assert not called.told()


async def test_a_body_beyond_all_reason_is_refused() -> None:
    called = Called()
    pieces = [b" " * 65536] * (MOST_BYTES // 65536 + 1)
    assert (await called.call(pieces)).status == 413


async def test_only_posts_are_taken() -> None:
    assert (await Called().call(sample(), method="GET")).status == 405


@given(body=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
@settings(max_examples=BY_HYPOTHESIS, deadline=None)
async def test_whatever_is_posted_is_refused_or_answered(body: bytes) -> None:
    assert (await Called().call(body)).status in {200, 400, 413}


async def test_fuzzed_bodies_are_refused_or_answered_and_leave_nothing_behind() -> None:
    """Seeded: pieces of a real notification and of what breaks parsers, put together by chance."""
    called, random, whole = Called(), Random(11), sample()
    tokens = [called.token, called.token, called.token, token_of(new_address_key(NOW)), "x" * 48]
    statuses: dict[int, int] = {}
    for warm in (True, False):
        for _ in range(1000 if warm else BODIES - BY_HYPOTHESIS - 1000):
            said = await called.call(mutated(whole, random), token=random.choice(tokens))
            statuses[said.status] = statuses.get(said.status, 0) + 1
            called.told()
            await asyncio.sleep(0)  # so that the loop puts away what is over
        gc.collect()
        if warm:
            objects, memory = len(gc.get_objects()), memory_used()
    assert set(statuses) <= {200, 400, 404, 413}, statuses
    assert min(statuses.get(each, 0) for each in (200, 400, 404)) > 100, statuses
    assert len(gc.get_objects()) - objects < 500
    assert memory_used() - memory < KIB_MORE
    assert called.desk.knows(called.key)


def memory_used() -> int:
    """Give the most memory that this process ever held, in KiB (on Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def mutated(whole: bytes, random: Random) -> bytes:
    """Cut, double, replace and insert pieces, one to four times."""
    body = whole
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(body) + 1)
        end = min(len(body), start + int(random.expovariate(0.02)))
        kind = random.randrange(5)
        if kind == 0:
            body = body[:start] + body[end:]
        elif kind == 1:
            body = body[:end] + body[start:]
        elif kind == 2:
            body = body[:start] + random.choice(WORDS) + body[end:]
        elif kind == 3:
            body = body[:start] + random.choice(WORDS) + body[start:]
        else:
            body = body[:start] + random.randbytes(random.randint(1, 8)) + body[start:]
    return body
