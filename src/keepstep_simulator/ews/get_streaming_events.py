"""GetStreamingEvents: an answer that stays open and tells what happens as it happens.

One subscription that is not good fails the whole request: the answer names those to blame, says
Closed, and streams nothing.
"""

from lxml import etree

from keepstep_simulator.ews.call import Call
from keepstep_simulator.ews.envelope import EwsError, M, T, schema_fault
from keepstep_simulator.ews.notification_xml import stream_error
from keepstep_simulator.ews.subscribe import refuse_where_nothing_streams
from keepstep_simulator.ews.unsubscribe import find
from keepstep_simulator.face import XML, Answer, Delivery, xml_answer
from keepstep_simulator.subscriptions import STREAMING, Subscription


def get_streaming_events(call: Call) -> Answer:
    """Answer a GetStreamingEvents. Raises EwsFault (ErrorExceededConnectionCount)."""
    refuse_where_nothing_streams(call)
    wanted = _ids(call.request)
    minutes = _minutes(call.request)
    call.details["subscriptions"] = len(wanted)
    if len(wanted) > call.notifier.limits.per_stream:
        # Microsoft names the limit (200), and no code for it: the nearest is used.
        return _refused(call, EwsError("ErrorExceededSubscriptionCount"), [])
    found: list[Subscription] = []
    blamed: dict[str, str] = {}
    for each in dict.fromkeys(wanted):
        try:
            subscription = find(call, each)
            if subscription.way != STREAMING:
                raise EwsError("ErrorInvalidSubscription")
            found.append(subscription)
        except EwsError as error:
            blamed[each] = error.code
    if blamed:
        return _refused(call, EwsError(next(iter(blamed.values()))), list(blamed))
    budget = (call.envelope.impersonated or call.user).lower()
    stream = call.notifier.open_stream(found, budget, minutes, call.now)
    return Answer(200, {"Content-Type": XML}, b"", Delivery(stream=stream))


def _refused(call: Call, error: EwsError, ids: list[str]) -> Answer:
    call.details["code"] = error.code
    return xml_answer(200, stream_error(call.server, error, ids))


def _ids(request: etree._Element) -> list[str]:
    named = request.iterfind(f"{M}SubscriptionIds/{T}SubscriptionId")
    ids = [(each.text or "").strip() for each in named]
    if not ids or not all(ids):
        raise schema_fault("The element 'SubscriptionIds' has incomplete content.")
    return ids


def _minutes(request: etree._Element) -> int:
    text = (request.findtext(M + "ConnectionTimeout") or "").strip()
    if not text.isdigit() or not 1 <= int(text) <= 30:
        raise schema_fault(
            f"The 'ConnectionTimeout' element is invalid - The value '{text}' is invalid according "
            "to its datatype 'StreamingSubscriptionConnectionTimeoutType'."
        )
    return int(text)
