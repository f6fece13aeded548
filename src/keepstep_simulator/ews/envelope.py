"""SOAP around everything: reading a request's envelope, writing answers and faults as bytes."""

from dataclasses import dataclass

from lxml import etree

from keepstep_simulator.ews.versions import ServerVersion
from keepstep_simulator.text import xml

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
S, T, M = f"{{{SOAP}}}", f"{{{TYPES}}}", f"{{{MESSAGES}}}"

TEXTS = {
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorCalendarEndDateIsEarlierThanStartDate": "EndDate is earlier than StartDate.",
    "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange": "Occurrence index is out of recurrence "
    "range.",
    "ErrorCalendarOccurrenceIsDeletedFromRecurrence": "Occurrence with this index was previously "
    "deleted from the recurrence.",
    "ErrorCalendarViewRangeTooBig": "The calendar range exceeds the limit of 2 years, or the "
    "number of items exceeds 1000.",
    "ErrorExceededConnectionCount": "You have exceeded the available concurrent connections for "
    "your account.  Try again once your other requests have completed.",
    "ErrorExceededSubscriptionCount": "You have exceeded the available subscriptions for your "
    "account.  Remove unnecessary subscriptions and try your request again.",
    "ErrorExpiredSubscription": "The subscription has expired.",
    "ErrorFolderNotFound": "The specified folder could not be found in the store.",
    "ErrorImpersonateUserDenied": "The account does not have permission to impersonate the "
    "requested user.",
    "ErrorIncorrectSchemaVersion": "The request is valid but does not specify the correct server "
    "version in the RequestServerVersion SOAP header.",
    "ErrorInternalServerError": "An internal server error occurred. The operation failed.",
    "ErrorInvalidIdMalformed": "Id is malformed.",
    "ErrorInvalidPropertyRequest": "Property is not valid for this object type.",
    "ErrorInvalidPullSubscriptionId": "The subscription is not a pull subscription.",
    "ErrorInvalidPushSubscriptionUrl": "The URL of the push subscription is invalid.",
    "ErrorInvalidServerVersion": "The specified server version is invalid.",
    "ErrorInvalidSubscription": "The subscription is no longer valid.",
    "ErrorInvalidSubscriptionRequest": "The subscription request is invalid.",
    "ErrorInvalidSyncStateData": "Synchronization state data is corrupt or otherwise invalid.",
    "ErrorInvalidWatermark": "The watermark is invalid.",
    "ErrorItemNotFound": "The specified object was not found in the store.",
    "ErrorMailboxMoveInProgress": "Mailbox move in progress. Try again later.",
    "ErrorMailboxStoreUnavailable": "The mailbox database is temporarily unavailable.",
    "ErrorMissingEmailAddress": "When making a request as an account that does not have a mailbox, "
    "you must specify the mailbox primary SMTP address for any distinguished folder Ids.",
    "ErrorNameResolutionNoResults": "No results were found.",
    "ErrorNewEventStreamConnectionOpened": "Another connection was opened for the subscription.",
    "ErrorNonExistentMailbox": "The SMTP address has no mailbox associated with it.",
    "ErrorSchemaValidation": "The request failed schema validation.",
    "ErrorServerBusy": "The server cannot service this request right now. Try again later.",
    "ErrorSubscriptionAccessDenied": "Access is denied. Only the subscription owner may access the "
    "subscription.",
    "ErrorSubscriptionDelegateAccessNotSupported": "Subscriptions are not supported for delegate "
    "user access.",
    "ErrorSubscriptionNotFound": "The specified subscription was not found.",
    "ErrorTimeoutExpired": "The request timed out.",
    "ErrorTooManyObjectsOpened": "Too many concurrent connections opened.",
}


def text_for(code: str) -> str:
    """Give the English message of a code; the code itself where none is known."""
    return TEXTS.get(code, code)


class EwsError(Exception):
    """An error for one response message: a ResponseCode, its text, values for its MessageXml."""

    def __init__(self, code: str, text: str | None = None, **values: object) -> None:
        """Take the code; the text defaults to Exchange's."""
        super().__init__(code)
        self.code = code
        self.text = text or text_for(code)
        self.values = values


class EwsFault(EwsError):
    """An error that takes the whole request: a SOAP fault with HTTP status 500."""


def schema_fault(violation: str) -> EwsFault:
    """Give the fault of a request that its schema does not allow."""
    return EwsFault("ErrorSchemaValidation", f"The request failed schema validation: {violation}")


@dataclass(slots=True)
class Envelope:
    """What a request asks: the operation's element, and what the headers say."""

    operation: str
    body: etree._Element
    version: str | None = None
    impersonated: str | None = None
    zone_id: str | None = None


def read_envelope(body: bytes) -> Envelope:
    """Read a request. Raises EwsFault for what is no SOAP request of EWS."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise schema_fault(str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise schema_fault("For security reasons DTD is prohibited in this XML document.")
    if root.tag != S + "Envelope":
        raise schema_fault("Envelope expected.")
    wrapped = root.find(S + "Body")
    if wrapped is None or len(wrapped) != 1 or not str(wrapped[0].tag).startswith(M):
        raise schema_fault("The body must hold one request.")
    envelope = Envelope(str(wrapped[0].tag)[len(M) :], wrapped[0])
    for header in root.iterfind(f"{S}Header/*"):
        _read_header(envelope, header)
    return envelope


def _read_header(envelope: Envelope, header: etree._Element) -> None:
    if header.tag == T + "RequestServerVersion":
        envelope.version = header.get("Version", "")
    elif header.tag == T + "ExchangeImpersonation":
        envelope.impersonated = _impersonated(header)
    elif header.tag == T + "TimeZoneContext":
        definition = header.find(T + "TimeZoneDefinition")
        envelope.zone_id = None if definition is None else definition.get("Id")


def _impersonated(header: etree._Element) -> str:
    for name in ("PrimarySmtpAddress", "SmtpAddress", "PrincipalName"):
        value = header.findtext(f"{T}ConnectingSID/{T}{name}")
        if value is not None:
            if not value.strip():
                break
            return value.strip()
    raise EwsFault(
        "ErrorInvalidExchangeImpersonationHeaderData", "The ConnectingSID header is not valid."
    )


def server_header(version: ServerVersion) -> str:
    """Give the SOAP header of every answer."""
    return (
        f'<s:Header><h:ServerVersionInfo MajorVersion="{version.major}" '
        f'MinorVersion="{version.minor}" MajorBuildNumber="{version.build}" '
        f'MinorBuildNumber="{version.revision}" Version="{version.schema}" xmlns:h="{TYPES}"/>'
        "</s:Header>"
    )


def wrap(version: ServerVersion, operation: str, messages: str) -> bytes:
    """Give the answer of an operation around its response messages."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}">'
        f"{server_header(version)}<s:Body>"
        f'<m:{operation}Response xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"><m:ResponseMessages>'
        f"{messages}</m:ResponseMessages></m:{operation}Response></s:Body></s:Envelope>"
    ).encode()


def success(operation: str, content: str) -> str:
    """Give a response message without error."""
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Success">'
        f"<m:ResponseCode>NoError</m:ResponseCode>{content}</m:{operation}ResponseMessage>"
    )


def failure(operation: str, error: EwsError, content: str = "") -> str:
    """Give a response message with an error, and what the operation must still have after it."""
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Error">'
        f"<m:MessageText>{xml(error.text)}</m:MessageText>"
        f"<m:ResponseCode>{error.code}</m:ResponseCode>"
        f"<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{_message_xml(error, 'm')}"
        f"{content}</m:{operation}ResponseMessage>"
    )


def _message_xml(error: EwsError, prefix: str) -> str:
    if not error.values:
        return ""
    values = "".join(
        f'<t:Value Name="{name}">{xml(str(value))}</t:Value>'
        for name, value in error.values.items()
    )
    declared = "" if prefix == "m" else f' xmlns:t="{TYPES}"'
    return f"<{prefix}:MessageXml{declared}>{values}</{prefix}:MessageXml>"


def fault(version: ServerVersion | None, error: EwsError) -> bytes:
    """Give a SOAP fault, without ServerVersionInfo if the request was not understood."""
    header = server_header(version) if version else ""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}">{header}<s:Body>'
        f'<s:Fault><faultcode xmlns:a="{TYPES}">a:{error.code}</faultcode>'
        f'<faultstring xml:lang="en-US">{xml(error.text)}</faultstring><detail>'
        f'<e:ResponseCode xmlns:e="{ERRORS}">{error.code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{ERRORS}">{xml(text_for(error.code))}</e:Message>'
        f"{_message_xml(error, 't')}</detail></s:Fault></s:Body></s:Envelope>"
    ).encode()
