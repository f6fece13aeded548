"""Unsubscribe: ends a streaming subscription; a push one ends by its listener's word or silence.

Microsoft's reference: for the id of a push subscription the answer is
ErrorInvalidPullSubscriptionId.
"""

from keepstep_simulator.ews.call import Call
from keepstep_simulator.ews.envelope import EwsError, M, failure, success, wrap
from keepstep_simulator.subscriptions import PUSH, Subscription

_NAME = "Unsubscribe"


def unsubscribe(call: Call) -> bytes:
    """Answer an Unsubscribe."""
    wanted = (call.request.findtext(M + "SubscriptionId") or "").strip()
    try:
        subscription = find(call, wanted)
        if subscription.way == PUSH:
            raise EwsError("ErrorInvalidPullSubscriptionId")
    except EwsError as error:
        call.details["code"] = error.code
        return wrap(call.server, _NAME, failure(_NAME, error))
    call.notifier.subscriptions.end(subscription)
    return wrap(call.server, _NAME, success(_NAME, ""))


def find(call: Call, wanted: str) -> Subscription:
    """Give the caller's subscription of that id. Raises EwsError."""
    subscriptions, pace = call.notifier.subscriptions, call.notifier.pace
    return subscriptions.find(wanted, call.user, call.back_end, pace, call.now)
