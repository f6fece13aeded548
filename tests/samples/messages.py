"""What answers say apart from items: response messages, faults, listings, and what is a request."""

from __future__ import annotations

from typing import NamedTuple

OK = (("Success", "NoError"),)


def error(code: str) -> tuple[tuple[str, str], ...]:
    """Give the messages of an answer that is one error."""
    return (("Error", code),)


# Answers whose messages are all there is to read for now: file -> class and code of each.
MESSAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "field/createitem-response-calendar-item.xml": OK,
    "field/deleteitem-error-internal-server-error-with-inner-error.xml": error(
        "ErrorInternalServerError"
    ),
    "field/deleteitem-response-success.xml": OK,
    "field/findfolder-error-too-many-objects-opened.xml": error("ErrorTooManyObjectsOpened"),
    "field/finditem-calendarview-error-end-before-start.xml": error(
        "ErrorCalendarEndDateIsEarlierThanStartDate"
    ),
    "field/getitem-meetingrequest-startwallclock-starttimezoneid.xml": OK,
    "field/getstreamingevents-connection-closed.xml": OK,
    "field/getstreamingevents-created-freebusychanged-two-notifications.xml": OK,
    "field/getstreamingevents-modified-item-and-folder.xml": OK,
    "field/getstreamingevents-moved-to-deleted-items.xml": OK,
    "field/sendnotification-modified-item-and-folder.xml": OK,
    "field/updateitem-error-invalid-change-key.xml": error("ErrorInvalidChangeKey"),
    "field/updateitem-response-calendar-item.xml": OK,
    "gromox/convertid-response-error-garbage.xml": error("ErrorCorruptData"),
    "gromox/convertid-response-ewsid-to-hex.xml": OK,
    "gromox/createitem-response-single.xml": OK,
    "gromox/deleteitem-response-error-already-gone.xml": error("ErrorItemNotFound"),
    "gromox/deleteitem-response-harddelete.xml": OK,
    "gromox/deleteitem-response-movetodeleteditems.xml": OK * 2,
    "gromox/deleteitem-response-softdelete.xml": OK,
    "gromox/getevents-response-after-changes.xml": OK,
    "gromox/getevents-response-error-after-unsubscribe.xml": error("ErrorInvalidSubscription"),
    "gromox/getevents-response-nothing-new.xml": OK,
    "gromox/getstreamingevents-response-frame-01.xml": OK,
    "gromox/getstreamingevents-response-frame-02.xml": OK,
    "gromox/getstreamingevents-response-frame-03.xml": OK,
    "gromox/getstreamingevents-response-frame-04.xml": OK,
    "gromox/getstreamingevents-response-frame-05.xml": OK,
    "gromox/resolvenames-response-no-match.xml": error("ErrorNameResolutionNoResults"),
    "gromox/resolvenames-response-one-match.xml": OK,
    "gromox/resolvenames-response-several-matches.xml": (
        ("Warning", "ErrorNameResolutionMultipleResults"),
    ),
    "gromox/subscribe-pull-response.xml": OK,
    "gromox/subscribe-push-response.xml": OK,
    "gromox/subscribe-streaming-response.xml": OK,
    "gromox/unsubscribe-response-error-unknown-subscription.xml": error(
        "ErrorSubscriptionNotFound"
    ),
    "gromox/unsubscribe-response-success.xml": OK,
    "gromox/updateitem-response-location.xml": OK,
    "microsoft-docs/convertid-response-error-id-malformed.xml": error("ErrorInvalidIdMalformed"),
    "microsoft-docs/convertid-response-success.xml": OK,
    "microsoft-docs/createitem-response-appointment.xml": OK,
    "microsoft-docs/createitem-response-batch.xml": OK * 3,
    "microsoft-docs/createitem-response-impersonation.xml": OK,
    "microsoft-docs/createitem-response-meeting.xml": OK,
    "microsoft-docs/createitem-response-planning-meeting.xml": OK,
    "microsoft-docs/createitem-response-recurring-meeting.xml": OK,
    "microsoft-docs/deleteitem-response-batch-item-not-found.xml": error("ErrorItemNotFound") * 3,
    "microsoft-docs/deleteitem-response-batch-success.xml": OK * 3,
    "microsoft-docs/deleteitem-response-success.xml": OK,
    "microsoft-docs/finditem-response-error-invalid-id-malformed.xml": error(
        "ErrorInvalidIdMalformed"
    ),
    "microsoft-docs/getevents-response-error-subscription-access-denied.xml": error(
        "ErrorSubscriptionAccessDenied"
    ),
    "microsoft-docs/getevents-response-events.xml": OK,
    "microsoft-docs/resolvenames-response-error-no-results.xml": error(
        "ErrorNameResolutionNoResults"
    ),
    "microsoft-docs/resolvenames-response-error-reference.xml": error(
        "ErrorNameResolutionNoResults"
    ),
    "microsoft-docs/resolvenames-response-multiple-results-warning.xml": (
        ("Warning", "ErrorNameResolutionMultipleResults"),
    ),
    "microsoft-docs/resolvenames-response-one-candidate.xml": OK,
    "microsoft-docs/resolvenames-response-success-contact.xml": OK,
    "microsoft-docs/subscribe-response-error.xml": error(
        "ErrorSubscriptionDelegateAccessNotSupported"
    ),
    "microsoft-docs/subscribe-response-pull.xml": OK,
    "microsoft-docs/subscribe-response-push.xml": OK,
    "microsoft-docs/subscribe-response-streaming.xml": OK,
    "microsoft-docs/syncfolderhierarchy-response-error-invalid-syncstate.xml": error(
        "ErrorInvalidSyncStateData"
    ),
    "microsoft-docs/syncfolderhierarchy-response.xml": OK,
    "microsoft-docs/unsubscribe-response-error-subscription-not-found.xml": error(
        "ErrorSubscriptionNotFound"
    ),
    "microsoft-docs/unsubscribe-response-success.xml": OK,
    "microsoft-docs/updateitem-response-batch-conflicts.xml": OK * 3,
    "microsoft-docs/updateitem-response-meeting.xml": OK,
}

# GetItem answers with errors: file -> what becomes of each id asked for. "item" is one read.
READ: dict[str, tuple[str, ...]] = {
    "field/getitem-error-item-not-found.xml": ("gone",),
    "gromox/getitem-response-error-garbage-id.xml": ("ErrorInvalidId",),
    "gromox/getitem-response-error-item-deleted.xml": ("gone",),
    "gromox/getitem-response-error-item-of-other-mailbox.xml": ("ErrorAccessDenied",),
    "gromox/getitem-response-error-occurrence-index-out-of-range.xml": ("ErrorItemCorrupt",),
    "gromox/getitem-response-error-recurringmasteritemid-not-supported.xml": ("ErrorInvalidId",),
    "gromox/getitem-response-error-well-formed-unknown-id.xml": ("gone",),
    "microsoft-docs/getitem-response-error-invalid-property-request.xml": (
        "ErrorInvalidPropertyRequest",
    ),
    "field/getitem-meetingrequest-startwallclock-starttimezoneid.xml": ("other",),
    "field/getitem-occurrences-by-index-three-and-two-out-of-range.xml": (
        *(("item",) * 3),
        *(("gone",) * 2),
    ),
    "gromox/getitem-response-occurrences-batch.xml": (*(("item",) * 5), "ErrorItemCorrupt"),
    "gromox/getitem-response-partial-batch-good-garbage-deleted.xml": (
        "item",
        "ErrorInvalidId",
        "gone",
        "item",
    ),
}


class Fault(NamedTuple):
    """A fault's code in the catalogue, its detail, and the pause in seconds if one is asked for."""

    code: str
    detail: str = ""
    pause: float | None = None


_NO_CODE = Fault("server-error", "a fault without a response code")

FAULTS: dict[str, Fault] = {
    "field/fault-error-exceeded-connection-count.xml": Fault(
        "server-busy", "ErrorExceededConnectionCount"
    ),
    "field/fault-error-invalid-impersonation-header-data.xml": Fault(
        "impersonation-refused", "ErrorInvalidExchangeImpersonationHeaderData"
    ),
    "field/fault-error-schema-validation-action-header.xml": Fault(
        "request-refused", "ErrorSchemaValidation"
    ),
    "field/fault-error-server-busy-backoff.xml": Fault("server-busy", "ErrorServerBusy", 297.749),
    "gromox/error-impersonate-by-sid.xml": Fault(
        "impersonation-refused", "ErrorImpersonationFailed"
    ),
    "gromox/error-impersonate-foreign-domain.xml": Fault("no-such-mailbox", "ErrorCannotFindUser"),
    "gromox/error-impersonate-unknown-mailbox.xml": Fault("no-such-mailbox", "ErrorCannotFindUser"),
    "gromox/error-impersonate-without-right.xml": Fault(
        "impersonation-refused", "ErrorImpersonateUserDenied"
    ),
    "gromox/fault-empty-body.xml": _NO_CODE,
    "gromox/fault-getservertimezones-unsupported.xml": _NO_CODE,
    "gromox/fault-http200-unknown-event-type.xml": Fault("request-refused"),
    "gromox/fault-http500-unknown-distinguished-folder.xml": _NO_CODE,
    "gromox/fault-malformed-xml.xml": _NO_CODE,
    "gromox/fault-not-soap.xml": _NO_CODE,
    "gromox/fault-schema-bad-enum.xml": Fault("request-refused"),
    "gromox/fault-schema-missing-required-element.xml": Fault("request-refused"),
    "gromox/fault-unknown-operation.xml": _NO_CODE,
    "gromox/syncfolderitems-response-error-garbage-folder.xml": Fault(
        "request-refused", "ErrorInvalidId"
    ),
    "microsoft-docs/fault-access-denied-stack-trace-text.xml": Fault("impersonation-refused"),
    "microsoft-docs/fault-error-incorrect-schema-version.xml": Fault(
        "wrong-exchange-version", "ErrorIncorrectSchemaVersion"
    ),
    "microsoft-docs/fault-error-schema-validation-bad-distinguished-folder.xml": Fault(
        "request-refused", "ErrorSchemaValidation"
    ),
    "microsoft-docs/fault-error-schema-validation-entityname.xml": Fault(
        "request-refused", "ErrorSchemaValidation"
    ),
    "microsoft-docs/fault-error-schema-validation-enumeration.xml": Fault(
        "request-refused", "ErrorSchemaValidation"
    ),
    "microsoft-docs/fault-error-schema-validation-exchange2007-style.xml": Fault(
        "request-refused", "ErrorSchemaValidation"
    ),
}

# Answers that are no answer at all.
NO_ANSWER: dict[str, Fault] = {
    "gromox/error-401-no-credentials.http": Fault("sign-in-refused", "HTTP 401"),
    "gromox/error-401-wrong-password.http": Fault("sign-in-refused", "HTTP 401"),
    # Five documents in a row, as a streaming connection carries them.
    "gromox/getstreamingevents-response-all-frames.txt": Fault(
        "answer-unreadable", "not well-formed"
    ),
}

_GROMOX_FOLDER = "AAAAAHQiNB/l0rBAoMJFPmyYoikBAAUAAAClGHtvvNzqHtA8VlcAAAAAAA8AAAI="

FOLDERS: dict[str, tuple[str, str] | str] = {
    "field/getfolder-calendar-default.xml": (
        "AAAkAG91dGxvb2tfMDAwMDAwMDAwMDAwMDAwMUBleGFtcGxlLmNvbQAuAAAAAAC11EXZT+3TSZbZG9cMT"
        "+XoAQAdX+/tTQhGSJ2g6HFKPliuAAAAAAENAAA=",
        "Kalender",
    ),
    "gromox/getfolder-response-calendar-allproperties.xml": (_GROMOX_FOLDER, "Calendar"),
    "gromox/getfolder-response-calendar-default.xml": (_GROMOX_FOLDER, "Calendar"),
    "gromox/getfolder-response-calendar-idonly.xml": (_GROMOX_FOLDER, ""),
    "gromox/getfolder-response-error-garbage-folder-id.xml": "request-refused",
    # Three folders where one was asked for is the answer to another question.
    "gromox/getfolder-response-mixed-batch-calendar-and-garbage.xml": "answer-unreadable",
    "microsoft-docs/getfolder-response-calendar.xml": ("AAMk", ""),
    "microsoft-docs/getfolder-response-error.xml": "request-refused",
    "microsoft-docs/getfolder-response-success.xml": ("AQApA=", "Inbox"),
}


class Page(NamedTuple):
    """A listing: whether it is the last, its changes by kind, how many items are series."""

    last: bool
    created: int = 0
    updated: int = 0
    deleted: int = 0
    series: int = 0


_MORE = Page(last=False, created=10)
_SECOND_ROUND = Page(last=False, created=1, updated=4, deleted=5, series=1)

LISTINGS: dict[str, Page | str] = {
    "field/syncfolderitems-error-server-busy-concurrentsynccalls.xml": "server-busy",
    "gromox/syncfolderitems-response-empty-impersonation-address-ignored.xml": Page(last=True),
    "gromox/syncfolderitems-response-garbage-state-silently-resynced.xml": Page(
        last=False, created=2, series=1
    ),
    "gromox/syncfolderitems-response-maxchanges-0.xml": Page(last=False),
    "gromox/syncfolderitems-response-no-changes.xml": Page(last=True),
    **{
        f"gromox/syncfolderitems-response-{name}": page
        for shape in ("allproperties", "default", "idonly")
        for name, page in {
            f"initial-{shape}-page-01.xml": _MORE._replace(series=6),
            f"initial-{shape}-page-02.xml": _MORE._replace(series=9),
            f"initial-{shape}-page-03.xml": _MORE,
            f"initial-{shape}-page-04.xml": _MORE,
            f"initial-{shape}-page-05.xml": _MORE,
            f"initial-{shape}-page-06.xml": _MORE._replace(last=True),
            f"second-round-{shape}-page-01.xml": _SECOND_ROUND,
            f"second-round-{shape}-page-02.xml": Page(last=True, updated=1),
        }.items()
    },
    "microsoft-docs/syncfolderitems-response-create-meetingrequest.xml": Page(last=True, created=1),
    "microsoft-docs/syncfolderitems-response-error-invalid-syncstate.xml": "sync-state-refused",
    "microsoft-docs/syncfolderitems-response-initial.xml": Page(last=True, created=5),
    "microsoft-docs/syncfolderitems-response-mixed-create-update-delete-readflagchange.xml": Page(
        last=True, created=2, updated=1, deleted=1
    ),
}

# FindItem is not ours to ask, but its answers hold items: file -> how many.
FOUND: dict[str, int] = {
    "field/finditem-allproperties-no-view-allday-summer-time.xml": 2,
    "field/finditem-allproperties-three-items-allday-india.xml": 3,
    "field/finditem-calendarview-no-items.xml": 0,
    "field/finditem-indexed-page-past-the-end.xml": 0,
    "gromox/finditem-calendarview-response-empty.xml": 0,
    "gromox/finditem-calendarview-response-february-idonly.xml": 16,
    "gromox/finditem-calendarview-response-january-default.xml": 21,
    "gromox/finditem-calendarview-response-march-allproperties-series-not-expanded.xml": 11,
    "gromox/finditem-calendarview-response-maxentries-3.xml": 3,
    "gromox/finditem-calendarview-response-start-after-end-no-error.xml": 0,
    "gromox/finditem-indexedpage-response-calendar-no-view.xml": 5,
    "microsoft-docs/finditem-response-calendar-indexed-page.xml": 1,
    "microsoft-docs/finditem-response-calendarview-five-items.xml": 5,
    "microsoft-docs/finditem-response-calendarview-five-occurrences.xml": 5,
    "microsoft-docs/finditem-response-delegate-calendar-one-item.xml": 1,
    "microsoft-docs/finditem-response-series-master-not-expanded.xml": 1,
}
