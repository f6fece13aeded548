"""Notifications on the wire: events, SendNotification, and the envelopes of a stream.

As real servers write them (published answers of 2013 and of Exchange Online): ids with change keys
of four bytes, and in a stream ``m:Notification``, where the schema wants ``t:Notification``,
without watermarks.
"""

from collections.abc import Iterable, Sequence

from keepstep_simulator.ews.envelope import (
    MESSAGES,
    SOAP,
    TYPES,
    EwsError,
    failure,
    wrap,
)
from keepstep_simulator.ews.versions import ServerVersion
from keepstep_simulator.ews.words import instant
from keepstep_simulator.ids import Watermark, encode_watermark
from keepstep_simulator.model import MailboxModel
from keepstep_simulator.news import Event
from keepstep_simulator.text import xml

_NAME = "GetStreamingEvents"
_HEAD = '<?xml version="1.0" encoding="utf-8"?>'
_PUSHED_AS = "Exchange2010"
SOAP_ACTION = f"{MESSAGES}/SendNotification"


def watermark_at(mailbox: MailboxModel, number: int, seconds: int) -> str:
    """Give the watermark of a place in a mailbox's events, given at ``seconds`` since 1970."""
    mark = mailbox.ids.folder_mark("news")
    return encode_watermark(Watermark(number, seconds, mailbox.news.generation), mark)


def event_xml(mailbox: MailboxModel, event: Event, watermark: str = "") -> str:
    """Give the element of an event, with its watermark if there is one."""
    marked = f"<t:Watermark>{watermark}</t:Watermark>" if watermark else ""
    if event.item_id is None:
        inner = _folder("FolderId", mailbox.ids.folder(event.folder), "AgAAAA==")
        inner += _folder("ParentFolderId", mailbox.ids.folder("msgfolderroot"), "AQAAAA==")
    else:
        inner = f'<t:ItemId Id="{xml(event.item_id)}" ChangeKey="DwAAAA=="/>'
        inner += _folder("ParentFolderId", mailbox.ids.folder(event.folder), "AQAAAA==")
    if event.old_item_id is not None and event.old_folder is not None:
        inner += f'<t:OldItemId Id="{xml(event.old_item_id)}" ChangeKey="CQAAAA=="/>'
        inner += _folder("OldParentFolderId", mailbox.ids.folder(event.old_folder), "AQAAAA==")
    return (
        f"<t:{event.kind}>{marked}<t:TimeStamp>{instant(event.at)}</t:TimeStamp>{inner}"
        f"</t:{event.kind}>"
    )


def _folder(name: str, wanted: str, change_key: str) -> str:
    return f'<t:{name} Id="{xml(wanted)}" ChangeKey="{change_key}"/>'


def status_xml(watermark: str = "") -> str:
    """Give the element that only says that the server is alive."""
    if not watermark:
        return "<t:StatusEvent/>"
    return f"<t:StatusEvent><t:Watermark>{watermark}</t:Watermark></t:StatusEvent>"


def send_notification(subscription: str, previous: str, events: str, *, more: bool) -> bytes:
    """Give what is posted to a listener; ``previous`` is a watermark, empty for none."""
    marked = f"<t:PreviousWatermark>{previous}</t:PreviousWatermark>" if previous else ""
    return (
        f'{_HEAD}<soap11:Envelope xmlns:soap11="{SOAP}"><soap11:Header>'
        f'<t:RequestServerVersion Version="{_PUSHED_AS}" xmlns:t="{TYPES}"/></soap11:Header>'
        f'<soap11:Body><m:SendNotification xmlns:t="{TYPES}" xmlns:m="{MESSAGES}">'
        '<m:ResponseMessages><m:SendNotificationResponseMessage ResponseClass="Success">'
        "<m:ResponseCode>NoError</m:ResponseCode><m:Notification>"
        f"<t:SubscriptionId>{subscription}</t:SubscriptionId>{marked}"
        f"<t:MoreEvents>{'true' if more else 'false'}</t:MoreEvents>{events}</m:Notification>"
        "</m:SendNotificationResponseMessage></m:ResponseMessages></m:SendNotification>"
        "</soap11:Body></soap11:Envelope>"
    ).encode()


def streamed(subscription: str, events: str) -> str:
    """Give one subscription's part of a stream's envelope."""
    named = f"<t:SubscriptionId>{subscription}</t:SubscriptionId>"
    return f"<m:Notification>{named}{events}</m:Notification>"


def stream_envelope(server: ServerVersion, notifications: Iterable[str], status: str = "") -> bytes:
    """Give one envelope of a stream; ``status`` is ``OK``, ``Closed``, or empty for none."""
    told = "".join(notifications)
    listed = f"<m:Notifications>{told}</m:Notifications>" if told else ""
    said = f"<m:ConnectionStatus>{status}</m:ConnectionStatus>" if status else ""
    message = (
        f'<m:{_NAME}ResponseMessage ResponseClass="Success">'
        f"<m:ResponseCode>NoError</m:ResponseCode>{listed}{said}</m:{_NAME}ResponseMessage>"
    )
    return wrap(server, _NAME, message)


def stream_error(server: ServerVersion, error: EwsError, ids: Sequence[str]) -> bytes:
    """Give the envelope that ends a stream, and names the subscriptions that are to blame."""
    named = "".join(f"<t:SubscriptionId>{xml(each)}</t:SubscriptionId>" for each in ids)
    blamed = f"<m:ErrorSubscriptionIds>{named}</m:ErrorSubscriptionIds>" if ids else ""
    rest = f"{blamed}<m:ConnectionStatus>Closed</m:ConnectionStatus>"
    return wrap(server, _NAME, failure(_NAME, error, rest))
