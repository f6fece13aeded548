"""Subscriptions by hand, what comes of them checked against Microsoft's schemas, and ticks."""

import re
from dataclasses import dataclass

from lxml import etree

from keepstep_simulator import Answer, MailboxModel, Request, Simulator
from keepstep_simulator.face import Flow
from keepstep_simulator.pushes import Post
from tests.simulator.soap import SOAP, M, T, ask, basic, codes, envelope, payload, schema, valid

URL = "https://keepstep.example.com/push/1"
_CALENDAR = '<t:FolderIds><t:DistinguishedFolderId Id="calendar"/></t:FolderIds>'
_EVENTS = ("CreatedEvent", "ModifiedEvent", "DeletedEvent", "MovedEvent")
_DECLARED = f'xmlns:t="{T[1:-1]}" xmlns:m="{M[1:-1]}"'


class Ticks:
    """Seconds that stand until they are put forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def checked(request: str) -> str:
    """Give a request, having held it against the schema."""
    element = etree.fromstring(re.sub(r"^<(\S+?)([ >])", rf"<\1 {_DECLARED}\2", request))
    schema("exchange2013").assertValid(element)
    return request


def _wanted(folders: str, events: tuple[str, ...]) -> str:
    named = "".join(f"<t:EventType>{each}</t:EventType>" for each in events)
    return f"{folders}<t:EventTypes>{named}</t:EventTypes>"


def to_push(
    url: str = URL,
    frequency: int = 30,
    watermark: str = "",
    *,
    events: tuple[str, ...] = _EVENTS,
    folders: str = _CALENDAR,
) -> str:
    mark = f"<t:Watermark>{watermark}</t:Watermark>" if watermark else ""
    return checked(
        f"<m:Subscribe><m:PushSubscriptionRequest>{_wanted(folders, events)}{mark}"
        f"<t:StatusFrequency>{frequency}</t:StatusFrequency><t:URL>{url}</t:URL>"
        "</m:PushSubscriptionRequest></m:Subscribe>"
    )


def to_stream(events: tuple[str, ...] = _EVENTS, folders: str = _CALENDAR) -> str:
    return checked(
        f"<m:Subscribe><m:StreamingSubscriptionRequest>{_wanted(folders, events)}"
        "</m:StreamingSubscriptionRequest></m:Subscribe>"
    )


def away(subscription: str) -> str:
    return checked(
        f"<m:Unsubscribe><m:SubscriptionId>{subscription}</m:SubscriptionId></m:Unsubscribe>"
    )


def listen(*subscriptions: str, minutes: int = 30) -> str:
    ids = "".join(f"<t:SubscriptionId>{each}</t:SubscriptionId>" for each in subscriptions)
    return checked(
        f"<m:GetStreamingEvents><m:SubscriptionIds>{ids}</m:SubscriptionIds>"
        f"<m:ConnectionTimeout>{minutes}</m:ConnectionTimeout></m:GetStreamingEvents>"
    )


@dataclass(frozen=True)
class Subscribed:
    id: str
    watermark: str | None


def subscribed(
    simulator: Simulator, mailbox: MailboxModel, request: str | None = None
) -> Subscribed:
    """Subscribe (to stream, if nothing else is said), and give what the server gives."""
    content = valid(ask(simulator, request or to_stream(), mailbox=mailbox))
    assert codes(content) == ["NoError"]
    found = content.findtext(f".//{M}SubscriptionId")
    assert found
    return Subscribed(found, content.findtext(f".//{M}Watermark"))


def refused(answer: Answer) -> str:
    """Give the code of a refusal within a valid answer."""
    (code,) = codes(valid(answer))
    return code


def sent(simulator: Simulator, operation: str, mailbox: MailboxModel, **headers: str) -> Answer:
    """Send one operation with headers of one's own."""
    body = envelope(operation, mailbox=mailbox.email, version="Exchange2013")
    given = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    told = {"authorization": basic(), **given}
    return simulator.answer(Request("POST", "/EWS/Exchange.asmx", told, body))


@dataclass(frozen=True)
class Told:
    """One notification: whose, which events, ids of items (or their folder's), watermarks."""

    subscription: str
    events: list[str]
    items: list[str]
    watermarks: list[str]
    previous: str | None
    more: bool


def _told(notification: etree._Element) -> Told:
    events = [each for each in notification if str(each.tag).endswith("Event")]
    return Told(
        notification.findtext(T + "SubscriptionId", ""),
        [etree.QName(each).localname for each in events],
        [each.get("Id", "") for event in events for each in event.iterfind(T + "ItemId")],
        [each.findtext(T + "Watermark") or "" for each in events],
        notification.findtext(T + "PreviousWatermark"),
        notification.findtext(T + "MoreEvents") == "true",
    )


def read_post(body: bytes) -> Told:
    """Give what a listener is told, having held it against the schema."""
    content = payload(Answer(200, {}, body))
    assert etree.QName(content).localname == "SendNotification"
    schema("exchange2013").assertValid(etree.fromstring(etree.tostring(content)))
    return _told(next(content.iter(M + "Notification")))


def result(status: str) -> bytes:
    """Give what a listener answers."""
    content = (
        f'<m:SendNotificationResult xmlns:m="{M[1:-1]}"><m:SubscriptionStatus>{status}'
        "</m:SubscriptionStatus></m:SendNotificationResult>"
    )
    schema("exchange2013").assertValid(etree.fromstring(content))
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{content}</s:Body></s:Envelope>'.encode()


@dataclass(frozen=True)
class Heard:
    """One envelope of a stream."""

    code: str
    status: str | None
    told: list[Told]
    blamed: list[str]


def read_envelope(body: bytes) -> Heard:
    """Give what an envelope of a stream says.

    It is held against the schema, but for the one namespace in which real servers differ from it.
    """
    told = [_told(each) for each in etree.fromstring(body).iter(M + "Notification")]
    named = re.sub(rb"(</?)m:Notification>", rb"\1t:Notification>", body)
    content = valid(Answer(200, {}, named))
    (code,) = codes(content)
    blamed = [each.text or "" for each in content.iterfind(f".//{M}ErrorSubscriptionIds/*")]
    return Heard(code, content.findtext(f".//{M}ConnectionStatus"), told, blamed)


def read_envelopes(body: bytes) -> list[Heard]:
    """Give what a whole answer says; a part of an envelope at its end is left out."""
    found = re.findall(rb"<\?xml.*?</s:Envelope>", body, re.DOTALL)
    return [read_envelope(each) for each in found]


def flow_of(answer: Answer) -> Flow:
    """Give the answer that goes on."""
    assert answer.status == 200, answer.body
    assert answer.delivery.stream is not None, answer.body
    return answer.delivery.stream


class Ear:
    """Hears one stream, tick by tick."""

    def __init__(self, simulator: Simulator, mailbox: MailboxModel, *ids: str, minutes: int = 30):
        self.answer = ask(simulator, listen(*ids, minutes=minutes), mailbox=mailbox)
        self.flow = flow_of(self.answer)
        self.ticks = simulator.ticks

    def hear(self) -> list[Heard]:
        return [read_envelope(each) for each in self.flow.take(self.ticks())]

    def events(self) -> list[str]:
        return [kind for heard in self.hear() for each in heard.told for kind in each.events]


def post_of(posts: list[Post]) -> Post:
    """Give the only post."""
    (post,) = posts
    return post
