"""What Exchange says when it fails, as codes of the catalogue: one table for each kind of saying.

Only codes are stable: messages come in the server's own language, and some hold names or stack
traces, so none is passed on. A response code that no table holds is `request-refused`, with the
code as detail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from keepstep.core.errors import ExchangeError

LONGEST_PAUSE = timedelta(hours=1)
# What is passed on to people must not be longer, or other, than a code of Exchange is.
_CODE = re.compile(r"[A-Za-z0-9_.]{1,100}")

# Response codes, in faults as in response messages.
CODES: dict[str, str] = {
    "ErrorServerBusy": "server-busy",
    "ErrorExceededConnectionCount": "server-busy",
    "ErrorExceededFindCountLimit": "server-busy",
    "ErrorTooManyObjectsOpened": "server-busy",
    "ErrorInsufficientResources": "server-busy",
    "ErrorNotEnoughMemory": "server-busy",
    "ErrorTimeoutExpired": "timed-out",
    "ErrorRequestAborted": "timed-out",
    "ErrorMailboxMoveInProgress": "mailbox-moving",
    "ErrorMailboxStoreUnavailable": "store-unavailable",
    "ErrorMailboxFailover": "store-unavailable",
    "ErrorMailboxLogonFailed": "store-unavailable",
    "ErrorConnectionFailed": "store-unavailable",
    "ErrorServiceUnavailable": "store-unavailable",
    "ErrorImpersonateUserDenied": "impersonation-refused",
    "ErrorImpersonationDenied": "impersonation-refused",
    "ErrorImpersonationFailed": "impersonation-refused",
    "ErrorInvalidExchangeImpersonationHeaderData": "impersonation-refused",
    "ErrorAccessDenied": "impersonation-refused",
    "ErrorNonExistentMailbox": "no-such-mailbox",
    "ErrorNonPrimarySmtpAddress": "no-such-mailbox",
    "ErrorCannotFindUser": "no-such-mailbox",
    "ErrorInvalidSmtpAddress": "no-such-mailbox",
    "ErrorMailboxConfiguration": "no-such-mailbox",
    "ErrorMissingEmailAddress": "no-email-address",
    "ErrorFolderNotFound": "folder-missing",
    "ErrorExceededSubscriptionCount": "subscription-limit",
    "ErrorSubscriptionNotFound": "subscription-gone",
    "ErrorExpiredSubscription": "subscription-gone",
    "ErrorInvalidSubscription": "subscription-gone",
    # What Unsubscribe says to one of push, which it is not meant for.
    "ErrorInvalidPullSubscriptionId": "subscription-gone",
    "ErrorSubscriptionUnsubscribed": "subscription-gone",
    "ErrorSubscriptionAccessDenied": "subscription-gone",
    "ErrorReadEventsFailed": "subscription-gone",
    "ErrorMissedNotificationEvents": "subscription-gone",
    "ErrorInvalidWatermark": "watermark-refused",
    "ErrorInvalidPushSubscriptionUrl": "notification-url-refused",
    "ErrorInvalidSubscriptionRequest": "notifications-refused",
    "ErrorSubscriptionDelegateAccessNotSupported": "notifications-refused",
    "ErrorSubscriptionsDisabledForGroup": "notifications-refused",
    "ErrorProxyRequestNotAllowed": "notifications-refused",
    "ErrorMissingExchangePrincipal": "no-such-mailbox",
    "ErrorAccountDisabled": "sign-in-refused",
    "ErrorPasswordExpired": "sign-in-refused",
    "ErrorPasswordChangeRequired": "sign-in-refused",
    "ErrorInvalidSyncStateData": "sync-state-refused",
    "ErrorInvalidServerVersion": "wrong-exchange-version",
    "ErrorIncorrectSchemaVersion": "wrong-exchange-version",
    "ErrorInvalidSchemaVersionForMailboxVersion": "wrong-exchange-version",
    "ErrorWrongServerVersion": "wrong-exchange-version",
    "ErrorBatchProcessingStopped": "server-error",
    "ErrorInternalServerError": "server-error",
    "ErrorInternalServerTransientError": "server-error",
    "ErrorADUnavailable": "server-error",
    "ErrorADOperation": "server-error",
    "ErrorProxyCallFailed": "server-error",
    "ErrorProxyRequestProcessingFailed": "server-error",
    "ErrorProxyServiceDiscoveryFailed": "server-error",
    "ErrorNoRespondingCASInDestinationSite": "server-error",
}

# Words of a fault that tell more than its code. They are names in code, in no human language: the
# schema type that a too new RequestServerVersion violates, and a class of Exchange's own.
_TELLING_WORDS = (
    ("ExchangeVersionType", "wrong-exchange-version"),
    ("AccessDeniedException", "impersonation-refused"),
)

# One item of a batch: it is not there any more.
GONE = frozenset(
    {
        "ErrorItemNotFound",
        "ErrorCalendarOccurrenceIsDeletedFromRecurrence",
        "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange",
        "ErrorRecurrenceHasNoOccurrence",
    }
)

# Response codes that are the item's own fault though the table above has them for a whole mailbox.
_ITEM_ALONE = frozenset({"ErrorAccessDenied", "ErrorInternalServerError"})

# Answers without a readable SOAP body, by HTTP status.
_STATUSES: dict[int, str] = {
    401: "sign-in-refused",
    407: "proxy-in-the-way",
    408: "timed-out",
    429: "server-busy",
    440: "login-page",
    503: "server-busy",
    504: "timed-out",
}


def failure_of_code(code: str, pause: timedelta | None = None, telling: str = "") -> ExchangeError:
    """Give the error for an EWS response code; `telling` is the fault's text, never passed on."""
    if code and not _CODE.fullmatch(code):
        code = "a response code that is none"
    if code not in CODES or code == "ErrorSchemaValidation":
        for word, of_catalogue in _TELLING_WORDS:
            if word in telling:
                return ExchangeError(of_catalogue, code, pause)
    return ExchangeError(CODES.get(code, "request-refused"), code, pause)


def spoils_batch(code: str) -> bool:
    """Say whether a response code in one message of a batch speaks of more than its item."""
    return code in CODES and code not in _ITEM_ALONE


def failure_of_status(status: int, pause: timedelta | None = None) -> ExchangeError:
    """Give the error for an HTTP status whose body says nothing more."""
    if status in _STATUSES:
        code = _STATUSES[status]
    elif 300 <= status < 400:
        code = "redirected"
    elif status >= 500:
        code = "server-error"
    else:
        code = "not-exchange"
    return ExchangeError(code, f"HTTP {status}", pause)


def pause_of_headers(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Read Retry-After (seconds or a date; RFC 9110, 10.2.3), bounded to an hour.

    `headers` have lower-case names. A date is taken against the server's own Date, where it sent
    one: its clock may differ from `now`.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return bounded_pause(int(value[:9]) * 1000)
    until = _http_date(value)
    if until is None:
        return None
    sent = _http_date(headers.get("date", "")) or now
    return bounded_pause((until - sent) / timedelta(milliseconds=1))


def bounded_pause(milliseconds: float) -> timedelta | None:
    """Give the pause that a server asked for: None where it asked for none, an hour at most."""
    if milliseconds <= 0:
        return None
    longest = LONGEST_PAUSE / timedelta(milliseconds=1)
    return timedelta(milliseconds=min(milliseconds, longest))


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
