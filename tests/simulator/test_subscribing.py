"""Subscribe and Unsubscribe: what is taken on, what is refused, and how subscriptions end."""

import pytest

from keepstep_simulator import Fault, Limits, MailboxModel, Simulator
from keepstep_simulator.affinity import COOKIE
from keepstep_simulator.limits import limits_of
from tests.simulator.notices import (
    URL,
    Ear,
    Ticks,
    away,
    listen,
    post_of,
    read_envelope,
    read_post,
    refused,
    sent,
    subscribed,
    to_push,
    to_stream,
)
from tests.simulator.soap import Clock, ask, fault_code, valid
from tests.simulator.test_faults import made


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def simulator(clock: Clock, ticks: Ticks) -> Simulator:
    return Simulator(clock=clock, seed=1, ticks=ticks)


def listened(simulator: Simulator, mailbox: MailboxModel, *ids: str) -> str:
    """Give the code of a GetStreamingEvents that streams nothing, having checked whom it blames."""
    answer = ask(simulator, listen(*ids), mailbox=mailbox)
    assert answer.delivery.stream is None
    heard = read_envelope(answer.body)
    assert heard.status == "Closed"
    return heard.code


def test_push_has_a_watermark_and_streaming_has_none(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    pushed = subscribed(simulator, mailbox, to_push())
    streamed = subscribed(simulator, mailbox)
    assert pushed.watermark
    assert streamed.watermark is None
    assert pushed.id != streamed.id
    ways = [each.details["way"] for each in simulator.requests("Subscribe")]
    assert ways == ["push", "streaming"]


def test_the_same_seed_gives_the_same_ids() -> None:
    def first_id(seed: int) -> str:
        simulator = Simulator(clock=Clock(), seed=seed)
        return subscribed(simulator, simulator.add_mailbox("anna@example.com")).id

    assert first_id(1) == first_id(1)
    assert first_id(1) != first_id(2)


@pytest.mark.parametrize("url", ["ftp://x.example.com/", "nowhere", "http://", "https://a:b/"])
def test_an_address_that_cannot_be_posted_to_is_refused(
    simulator: Simulator, mailbox: MailboxModel, url: str
) -> None:
    answer = ask(simulator, to_push(url), mailbox=mailbox)
    assert refused(answer) == "ErrorInvalidPushSubscriptionUrl"
    assert simulator.log[-1].code == "ErrorInvalidPushSubscriptionUrl"
    assert len(simulator.notifier.subscriptions) == 0


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("<t:StatusFrequency>30<", "<t:StatusFrequency>0<"),
        ("<t:StatusFrequency>30<", "<t:StatusFrequency>1441<"),
        ("<t:EventType>CreatedEvent<", "<t:EventType>Nonsense<"),
        (f"<t:URL>{URL}</t:URL>", f"<t:URL>{URL}</t:URL><t:Watermark>AQ==</t:Watermark>"),
        ("PushSubscriptionRequest", "PullSubscriptionRequest"),
    ],
)
def test_what_the_schema_does_not_allow_is_a_fault(
    simulator: Simulator, mailbox: MailboxModel, good: str, bad: str
) -> None:
    request = to_push()
    assert good in request
    answer = ask(simulator, request.replace(good, bad), mailbox=mailbox)
    assert fault_code(answer) == "ErrorSchemaValidation"


def test_folders_are_named_or_all_are_meant(simulator: Simulator, mailbox: MailboxModel) -> None:
    nothing = to_stream(folders="")
    answer = ask(simulator, nothing, mailbox=mailbox)
    assert refused(answer) == "ErrorInvalidSubscriptionRequest"
    everything = nothing.replace("Request>", 'Request SubscribeToAllFolders="true">', 1)
    assert subscribed(simulator, mailbox, everything).id


def test_a_watermark_brings_back_what_happened_since(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    first = subscribed(simulator, mailbox, to_push())
    item_id = made(mailbox)
    assert first.watermark
    again = subscribed(simulator, mailbox, to_push(watermark=first.watermark))
    posts = simulator.notifier.pushes.take(simulator.ticks())
    told = {each.subscription: each for each in map(read_post, (post.body for post in posts))}
    assert told[again.id].items == [item_id]
    assert told[again.id].previous == first.watermark


def test_a_watermark_is_refused_if_it_is_garbage_old_forgotten_or_of_another_mailbox(
    simulator: Simulator, mailbox: MailboxModel, clock: Clock
) -> None:
    def code(box: MailboxModel, watermark: str) -> str:
        return refused(ask(simulator, to_push(watermark=watermark), mailbox=box))

    first = subscribed(simulator, mailbox, to_push()).watermark
    assert first
    assert code(mailbox, "AAAA") == "ErrorInvalidWatermark"
    assert code(simulator.add_mailbox("ben@example.com"), first) == "ErrorInvalidWatermark"
    assert code(mailbox, first) == "NoError"
    clock.forward(days=31)
    assert code(mailbox, first) == "ErrorInvalidWatermark"
    second = subscribed(simulator, mailbox, to_push()).watermark
    assert second
    mailbox.news.forget_watermarks()
    assert code(mailbox, second) == "ErrorInvalidWatermark"


def test_events_beyond_what_is_kept_spoil_a_watermark(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    first = subscribed(simulator, mailbox, to_push()).watermark
    assert first
    item_id = made(mailbox)
    for number in range(5_100):
        mailbox.update(item_id, subject=str(number))
    answer = ask(simulator, to_push(watermark=first), mailbox=mailbox)
    assert refused(answer) == "ErrorInvalidWatermark"


def test_unsubscribe_ends_a_streaming_subscription_only(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    streamed, pushed = (
        subscribed(simulator, mailbox),
        subscribed(simulator, mailbox, to_push()),
    )
    assert refused(ask(simulator, away(streamed.id), mailbox=mailbox)) == "NoError"
    again = ask(simulator, away(streamed.id), mailbox=mailbox)
    assert refused(again) == "ErrorSubscriptionNotFound"
    assert refused(ask(simulator, away(pushed.id), mailbox=mailbox)) == (
        "ErrorInvalidPullSubscriptionId"
    )
    assert [each.id for each in simulator.notifier.subscriptions] == [pushed.id]


def test_only_who_subscribed_may_ask(simulator: Simulator, mailbox: MailboxModel) -> None:
    mine = subscribed(simulator, mailbox)
    owner = next(iter(simulator.notifier.subscriptions))
    owner.owner = "somebody else"
    assert listened(simulator, mailbox, mine.id) == "ErrorSubscriptionAccessDenied"


def test_a_mailbox_has_so_many_subscriptions_and_no_more(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    simulator.limits = Limits(subscriptions=2)
    subscribed(simulator, mailbox)
    last = subscribed(simulator, mailbox)
    answer = ask(simulator, to_stream(), mailbox=mailbox)
    assert refused(answer) == "ErrorExceededSubscriptionCount"
    ask(simulator, away(last.id), mailbox=mailbox)
    assert subscribed(simulator, mailbox)
    assert subscribed(simulator, simulator.add_mailbox("ben@example.com"))


@pytest.mark.parametrize(
    ("version", "streams"), [("Exchange2013", 3), ("Exchange2016", 10), ("ExchangeSE", 10)]
)
def test_a_mailbox_has_so_many_streams_open_by_version(version: str, streams: int) -> None:
    simulator = Simulator(clock=Clock(), version=version, ticks=Ticks())
    anna, ben = simulator.add_mailbox("anna@example.com"), simulator.add_mailbox("ben@example.com")
    ears = [Ear(simulator, anna, subscribed(simulator, anna).id) for _ in range(streams)]
    one_more = subscribed(simulator, anna).id
    answer = ask(simulator, listen(one_more), mailbox=anna)
    assert fault_code(answer) == "ErrorExceededConnectionCount"
    assert simulator.log[-1].code == "ErrorExceededConnectionCount"
    assert Ear(simulator, ben, one_more).hear()[0].status == "OK"
    simulator.ended(ears[0].answer)
    assert Ear(simulator, anna, subscribed(simulator, anna).id).hear()[0].status == "OK"


def test_exchange_2010_has_no_streaming_unless_it_has_its_service_pack() -> None:
    simulator = Simulator(clock=Clock(), version="Exchange2010")
    mailbox = simulator.add_mailbox("anna@example.com")
    assert not limits_of(simulator.version).streaming

    def code(version: str) -> str:
        return fault_code(ask(simulator, to_stream(), mailbox=mailbox, version=version))

    assert code("Exchange2010_SP1") == "ErrorSchemaValidation"
    pushed = ask(simulator, to_push(), mailbox=mailbox, version="Exchange2010")
    valid(pushed, "exchange2010")
    simulator.limits = Limits(streaming=True)
    assert code("Exchange2010") == "ErrorIncorrectSchemaVersion"
    streamed = ask(simulator, to_stream(), mailbox=mailbox, version="Exchange2010_SP1")
    valid(streamed, "exchange2010")


def test_a_stream_has_so_many_subscriptions_and_no_more(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    ids = [subscribed(simulator, mailbox).id for _ in range(201)]
    assert listened(simulator, mailbox, *ids) == "ErrorExceededSubscriptionCount"
    assert Ear(simulator, mailbox, *ids[:200]).hear()[0].status == "OK"


def test_one_bad_subscription_fails_the_stream_and_is_named(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    good, gone, pushed = (
        subscribed(simulator, mailbox).id,
        subscribed(simulator, mailbox).id,
        subscribed(simulator, mailbox, to_push()).id,
    )
    ask(simulator, away(gone), mailbox=mailbox)
    heard = read_envelope(ask(simulator, listen(good, gone, pushed), mailbox=mailbox).body)
    assert (heard.code, heard.status) == ("ErrorSubscriptionNotFound", "Closed")
    assert heard.blamed == [gone, pushed]


def test_a_streaming_subscription_that_nobody_listens_to_expires(
    simulator: Simulator, mailbox: MailboxModel, ticks: Ticks
) -> None:
    left, heard = subscribed(simulator, mailbox).id, subscribed(simulator, mailbox).id
    Ear(simulator, mailbox, heard)
    ticks.now += 31 * 60
    assert listened(simulator, mailbox, left) == "ErrorExpiredSubscription"
    assert Ear(simulator, mailbox, heard).hear()[0].status == "OK"


def test_a_server_that_forgets_knows_no_subscription_any_more(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    ben = simulator.add_mailbox("ben@example.com")
    mine, his = subscribed(simulator, mailbox).id, subscribed(simulator, ben).id
    assert simulator.notifier.forget("anna@example.com") == 1
    assert listened(simulator, mailbox, mine) == "ErrorSubscriptionNotFound"
    assert simulator.notifier.forget(why="ErrorInvalidSubscription") == 1
    assert listened(simulator, mailbox, his) == "ErrorInvalidSubscription"


def test_subscribing_can_be_refused(simulator: Simulator, mailbox: MailboxModel) -> None:
    code = "ErrorExceededSubscriptionCount"
    simulator.faults.add(Fault("error", "Subscribe", code=code), Fault("busy-503", "Subscribe"))
    assert refused(ask(simulator, to_stream(), mailbox=mailbox)) == code
    assert ask(simulator, to_stream(), mailbox=mailbox).status == 503
    assert subscribed(simulator, mailbox)


def with_affinity(anchor: MailboxModel, cookie: str = "") -> dict[str, str]:
    headers = {"x_anchormailbox": anchor.email, "x_preferserveraffinity": "true"}
    return {**headers, "cookie": cookie} if cookie else headers


def test_a_subscription_is_known_only_where_it_was_made(clock: Clock) -> None:
    simulator = Simulator(clock=clock, ticks=Ticks(), back_ends=4)
    boxes = [simulator.add_mailbox(f"box{number}@example.com") for number in range(20)]
    homes = {simulator.back_ends.home(each.email) for each in boxes}
    assert len(homes) == 4
    anchor = boxes[0]
    other = next(
        each
        for each in boxes
        if simulator.back_ends.home(each.email) != simulator.back_ends.home(anchor.email)
    )
    made_at_home = subscribed_at(simulator, other)
    assert unsubscribed_at(simulator, other, made_at_home, anchor) == "ErrorSubscriptionNotFound"
    assert unsubscribed_at(simulator, other, made_at_home) == "NoError"


def subscribed_at(simulator: Simulator, mailbox: MailboxModel, **headers: str) -> str:
    content = valid(sent(simulator, to_stream(), mailbox, **headers))
    return "".join(each.text or "" for each in content.iter("{*}SubscriptionId"))


def unsubscribed_at(
    simulator: Simulator, mailbox: MailboxModel, wanted: str, anchor: MailboxModel | None = None
) -> str:
    headers = {} if anchor is None else with_affinity(anchor)
    return refused(sent(simulator, away(wanted), mailbox, **headers))


def test_the_cookie_leads_the_group_to_the_same_back_end(clock: Clock) -> None:
    simulator = Simulator(clock=clock, ticks=Ticks(), back_ends=4)
    boxes = [simulator.add_mailbox(f"box{number}@example.com") for number in range(20)]
    anchor = boxes[0]
    first = sent(simulator, to_stream(), anchor, **with_affinity(anchor))
    cookie = first.headers["Set-Cookie"].partition(";")[0]
    assert cookie.startswith(f"{COOKIE}={simulator.back_ends.home(anchor.email)}~")
    ids = [subscribed_at(simulator, each, **with_affinity(each, cookie)) for each in boxes]
    request = listen(*ids)
    assert sent(simulator, request, anchor, **with_affinity(boxes[5], cookie)).delivery.stream
    astray = sent(simulator, request, anchor, cookie=cookie, x_anchormailbox=other_home(simulator))
    assert read_envelope(astray.body).code == "ErrorSubscriptionNotFound"


def other_home(simulator: Simulator) -> str:
    """Give the address of a mailbox that lives elsewhere than the first."""
    addresses = list(simulator.mailboxes)
    home = simulator.back_ends.home(addresses[0])
    return next(each for each in addresses if simulator.back_ends.home(each) != home)


def test_no_cookie_is_set_unless_affinity_is_asked_for(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    answer = sent(simulator, to_stream(), mailbox, x_anchormailbox=mailbox.email)
    assert "Set-Cookie" not in answer.headers


def test_what_is_told_begins_with_the_subscription(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    made(mailbox)
    subscribed(simulator, mailbox, to_push())
    post = post_of(simulator.notifier.pushes.take(simulator.ticks()))
    assert read_post(post.body).events == ["StatusEvent"]
