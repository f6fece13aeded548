"""Subscribe: push and streaming subscriptions to the folders of one mailbox."""

from datetime import timedelta
from urllib.parse import urlsplit

from lxml import etree

from keepstep_simulator.ews.call import Call
from keepstep_simulator.ews.envelope import (
    EwsError,
    EwsFault,
    M,
    T,
    failure,
    schema_fault,
    success,
    wrap,
)
from keepstep_simulator.ews.notification_xml import watermark_at
from keepstep_simulator.ews.versions import STREAMS_FROM
from keepstep_simulator.ids import BadId, decode_watermark
from keepstep_simulator.model import MailboxModel
from keepstep_simulator.news import EVENT_KINDS
from keepstep_simulator.subscriptions import PUSH, STREAMING, Subscription

_NAME = "Subscribe"
_COMMON = ("FolderIds", "EventTypes")
_CHILDREN = {
    M + "PushSubscriptionRequest": (*_COMMON, "Watermark", "StatusFrequency", "URL", "CallerData"),
    M + "StreamingSubscriptionRequest": _COMMON,
}
_LONGEST_URL = 2082
_KEPT = timedelta(days=30)


def subscribe(call: Call) -> bytes:
    """Answer a Subscribe."""
    request = call.request[0] if len(call.request) == 1 else None
    if request is None or request.tag not in _CHILDREN:
        raise schema_fault("One PushSubscriptionRequest or StreamingSubscriptionRequest is needed.")
    streaming = request.tag == M + "StreamingSubscriptionRequest"
    if streaming:
        refuse_where_nothing_streams(call)
    _check_children(request)
    kinds = _kinds(request)
    frequency = 0 if streaming else _frequency(request)
    call.details["way"] = STREAMING if streaming else PUSH
    try:
        mailbox, folders = _folders(call, request)
        position = _position(call, mailbox, request)
        subscription = Subscription(
            id=call.notifier.subscriptions.new_id(call.back_end),
            way=STREAMING if streaming else PUSH,
            mailbox=mailbox,
            owner=call.user,
            server=call.back_end,
            folders=folders,
            kinds=kinds,
            position=position,
            url="" if streaming else _url(request),
            frequency=frequency,
            attended=call.now,
        )
        call.notifier.subscribe(subscription, call.now)
    except EwsError as error:
        if isinstance(error, EwsFault):
            raise
        call.details["code"] = error.code
        return wrap(call.server, _NAME, failure(_NAME, error))
    content = f"<m:SubscriptionId>{subscription.id}</m:SubscriptionId>"
    if not streaming:
        seconds = int(call.clock().timestamp())
        text = watermark_at(mailbox, position, seconds)
        content += f"<m:Watermark>{text}</m:Watermark>"
    return wrap(call.server, _NAME, success(_NAME, content))


def refuse_where_nothing_streams(call: Call) -> None:
    """Raise EwsFault for a server, or a request's version, that does not know of streaming."""
    if not call.notifier.limits.streaming:
        raise schema_fault(f"The element '{call.envelope.operation}' has an invalid child element.")
    if call.envelope.version not in STREAMS_FROM:
        raise EwsFault("ErrorIncorrectSchemaVersion")


def _check_children(request: etree._Element) -> None:
    """Hold the request to the schema's sequence."""
    order = [T + name for name in _CHILDREN[str(request.tag)]]
    tags = [str(each.tag) for each in request]
    for tag in tags:
        if tag not in order or tags.count(tag) > 1:
            raise schema_fault(f"The element '{etree.QName(tag).localname}' is not expected.")
    if tags != sorted(tags, key=order.index):
        raise schema_fault("The elements of the subscription are not in order.")


def _kinds(request: etree._Element) -> frozenset[str]:
    named = [each.text or "" for each in request.iterfind(f"{T}EventTypes/{T}EventType")]
    if not named or not set(named) <= set(EVENT_KINDS):
        raise schema_fault("The element 'EventTypes' is missing, empty or invalid.")
    return frozenset(named)


def _frequency(request: etree._Element) -> int:
    text = (request.findtext(T + "StatusFrequency") or "").strip()
    if not text.isdigit() or not 1 <= int(text) <= 1440:
        raise schema_fault(
            f"The 'StatusFrequency' element is invalid - The value '{text}' is invalid according "
            "to its datatype 'SubscriptionStatusFrequencyType'."
        )
    return int(text)


def _url(request: etree._Element) -> str:
    """Give the listener's address; Microsoft's reference says what makes one invalid."""
    url = (request.findtext(T + "URL") or "").strip()
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or len(url) > _LONGEST_URL:
        raise EwsError("ErrorInvalidPushSubscriptionUrl")
    return url


def _folders(call: Call, request: etree._Element) -> tuple[MailboxModel, frozenset[str] | None]:
    """Give the mailbox, and the names of the folders (None: all of them)."""
    wanted = request.find(T + "FolderIds")
    everything = request.get("SubscribeToAllFolders", "false") in ("true", "1")
    if everything == (wanted is not None) or (wanted is not None and len(wanted) == 0):
        raise EwsError("ErrorInvalidSubscriptionRequest")
    if wanted is None:
        return call.own_mailbox(), None
    found = [call.folder(each) for each in wanted]
    mailbox = found[0][0]
    if any(each is not mailbox for each, _ in found):
        raise EwsError("ErrorInvalidSubscriptionRequest")
    if call.mailbox is not None and mailbox is not call.mailbox:
        raise EwsError("ErrorSubscriptionDelegateAccessNotSupported")
    return mailbox, frozenset(name for _, name in found)


def _position(call: Call, mailbox: MailboxModel, request: etree._Element) -> int:
    """Give where the subscription begins: at its watermark, or now."""
    newest = mailbox.news.want()
    text = (request.findtext(T + "Watermark") or "").strip()
    if not text:
        return newest
    try:
        given = decode_watermark(text, mailbox.ids.folder_mark("news"))
    except BadId:
        raise EwsError("ErrorInvalidWatermark") from None
    age = call.clock().timestamp() - given.seconds
    known = given.generation == mailbox.news.generation
    if not known or age > _KEPT.total_seconds() or not mailbox.news.reaches_back_to(given.number):
        raise EwsError("ErrorInvalidWatermark")
    return given.number
