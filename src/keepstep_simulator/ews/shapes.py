"""What a request's shape brings: base shape and additional properties, by version and operation."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from keepstep_simulator.ews.envelope import EwsError, M, T, schema_fault
from keepstep_simulator.ews.item_xml import WRITERS, View, Writer
from keepstep_simulator.ews.versions import E2007, E2010, E2013, E2016

_SINCE_2010 = frozenset(("StartTimeZone", "EndTimeZone", "IsAssociated", "UniqueBody"))
_SINCE_2013 = frozenset(
    (
        "StartWallClock",
        "EndWallClock",
        "StartTimeZoneId",
        "EndTimeZoneId",
        "EnhancedLocation",
        "JoinOnlineMeetingUrl",
        "OnlineMeetingSettings",
        "IsOrganizer",
        "TextBody",
        "Flag",
        "ReminderNextTime",
        "InstanceKey",
        "NormalizedBody",
        "EntityExtractionResult",
        "Preview",
        "PolicyTag",
        "ArchiveTag",
        "RetentionDate",
        "PredictedActionReasons",
        "IsClutter",
        "RightsManagementLicenseData",
        "BlockStatus",
        "HasBlockedImages",
        "IconIndex",
        "MimeContentUTF8",
    )
)
_SINCE_2016 = frozenset(
    (
        "DisplayBcc",
        "Mentions",
        "MentionedMe",
        "MentionsPreview",
        "MentionsEx",
        "Hashtags",
        "AppliedHashtags",
        "AppliedHashtagsPreview",
        "Likes",
        "LikesPreview",
        "AtAllMention",
        "PendingSocialActivityTagIds",
        "CanDelete",
        "InferenceClassification",
        "FirstBody",
        "InboxReminders",
        "CalendarActivityData",
        "DoNotForwardMeeting",
    )
)
_WITHOUT_WRITER = frozenset(
    (
        "MimeContent",
        "Attachments",
        "InReplyTo",
        "InternetMessageHeaders",
        "ConversationId",
        "UniqueBody",
        "StoreEntryId",
        "WebClientReadFormQueryString",
        "When",
        "WebClientEditFormQueryString",
        "ConflictingMeetings",
        "AdjacentMeetings",
        "AppointmentReplyTime",
        "MeetingTimeZone",
        "MeetingWorkspaceUrl",
        "NetShowUrl",
    )
)
_KNOWN = frozenset(WRITERS) | _WITHOUT_WRITER | _SINCE_2013 | _SINCE_2016

_DEFAULT = frozenset(
    (
        "ItemId",
        "Subject",
        "HasAttachments",
        "ResponseObjects",
        "IsAssociated",
        "Start",
        "End",
        "LegacyFreeBusyStatus",
        "Location",
        "CalendarItemType",
        "Organizer",
    )
)
_NEVER_LISTED = frozenset(
    (
        "Body",
        "TextBody",
        "RequiredAttendees",
        "OptionalAttendees",
        "Resources",
        "Recurrence",
        "FirstOccurrence",
        "LastOccurrence",
        "ModifiedOccurrences",
        "DeletedOccurrences",
    )
)
"""SyncFolderItems and FindItem leave these out whatever is asked (documentation, field reports)."""
_OTHER_KINDS = frozenset(
    ("message", "meeting", "meetingRequest", "task", "contacts", "distributionlist", "postitem")
)
"""Properties of other kinds of item: a calendar item has none of them, and nobody minds."""
_NOT_IN_ALL = frozenset(("TextBody", "ItemId"))
BODY_TYPES = ("Best", "HTML", "Text")
BASES = ("IdOnly", "Default", "AllProperties")


def rank_of(name: str) -> int:
    """Give the rank of the first version that has the property."""
    if name in _SINCE_2016:
        return E2016
    if name in _SINCE_2013:
        return E2013
    return E2010 if name in _SINCE_2010 else E2007


@dataclass(frozen=True, slots=True)
class Shape:
    """The writers of one shape in order, and how bodies are wanted."""

    writers: tuple[Writer, ...]
    body_type: str = "Best"
    rank: int = E2016

    def write(self, view: View) -> str:
        """Give a ``t:CalendarItem`` with the shape's properties."""
        inner = "".join([writer(view) for writer in self.writers])
        if self.rank < E2013:
            # Exchange 2010 has no such word, and its clients see the time as free.
            inner = inner.replace(">WorkingElsewhere<", ">Free<")
        return f"<t:CalendarItem>{inner}</t:CalendarItem>"


def read_shape(
    request: etree._Element, server_rank: int, request_rank: int, *, listed: bool
) -> Shape:
    """Give the item shape of a request.

    Raises EwsFault for what the server's schema does not have, EwsError
    (ErrorInvalidPropertyRequest) for what the request's version may not ask.
    """
    shape = request.find(M + "ItemShape")
    if shape is None:
        raise schema_fault("The element 'ItemShape' is missing.")
    base = (shape.findtext(T + "BaseShape") or "").strip()
    if base not in BASES:
        raise schema_fault(f"The value '{base}' is invalid - The Enumeration constraint failed.")
    body_type = (shape.findtext(T + "BodyType") or "Best").strip()
    if body_type not in BODY_TYPES:
        raise schema_fault(f"The value '{body_type}' is invalid: BodyType.")
    asked = tuple(_asked(shape, server_rank))
    for name in asked:
        if rank_of(name) > request_rank:
            raise EwsError("ErrorInvalidPropertyRequest")
    return Shape(_writers(base, asked, request_rank, listed), body_type, request_rank)


def _asked(shape: etree._Element, server_rank: int) -> Iterable[str]:
    extra = shape.find(T + "AdditionalProperties")
    if extra is None:
        return
    if len(extra) == 0:
        raise schema_fault("The element 'AdditionalProperties' has incomplete content.")
    for path in extra:
        if path.tag == T + "FieldURI":
            uri = path.get("FieldURI", "")
            if uri.partition(":")[0] not in _OTHER_KINDS:
                yield property_name(uri, server_rank)
        elif path.tag not in (T + "ExtendedFieldURI", T + "IndexedFieldURI"):
            raise schema_fault(f"The element '{path.tag}' is invalid.")


def property_name(uri: str, server_rank: int) -> str:
    """Give the property of an ``item:`` or ``calendar:`` URI. Raises EwsFault if there is none."""
    kind, _, name = uri.partition(":")
    if kind not in ("item", "calendar") or name not in _KNOWN or rank_of(name) > server_rank:
        raise schema_fault(
            f"The 'FieldURI' attribute is invalid - The value '{uri}' is invalid according to its "
            "datatype 'UnindexedFieldURIType' - The Enumeration constraint failed."
        )
    return name


@lru_cache(maxsize=256)
def _writers(base: str, asked: tuple[str, ...], rank: int, listed: bool) -> tuple[Writer, ...]:
    names = set(asked) | {"ItemId"}
    if base == "Default":
        names |= _DEFAULT
    elif base == "AllProperties":
        names |= set(WRITERS) - _NOT_IN_ALL
    if listed:
        names -= _NEVER_LISTED
    return tuple(
        writer for name, writer in WRITERS.items() if name in names and rank_of(name) <= rank
    )
