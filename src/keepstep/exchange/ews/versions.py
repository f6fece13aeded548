"""What is asked of which Exchange: the request version, and the properties that it knows.

A property newer than the request version is a schema error for the whole request, so each version
has its own set. The values are those of Microsoft's schemas: 2010 and 2013 publish one fixed
RequestServerVersion each, and the newest named one of the current schema is Exchange2016, which
2019 and Subscription Edition go by as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ExchangeVersion(StrEnum):
    """The versions of Exchange that can be set."""

    EXCHANGE_2010 = "Exchange2010"
    EXCHANGE_2013 = "Exchange2013"
    EXCHANGE_2016 = "Exchange2016"
    EXCHANGE_2019 = "Exchange2019"
    EXCHANGE_SE = "ExchangeSE"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to speak to one version: the request version, and the field URIs to ask for.

    `listing` are the few properties that decide whether a listed item may be passed over, `item`
    those of an item read whole, `occurrence` those in which a changed occurrence can differ from
    its series. `streams` is how many hanging connections one mailbox may have at once by default.
    """

    request_version: str
    listing: tuple[str, ...]
    item: tuple[str, ...]
    occurrence: tuple[str, ...]
    streams: int


_LISTING = (
    "item:Sensitivity",
    "item:LastModifiedTime",
    "calendar:UID",
    "calendar:Start",
    "calendar:End",
    "calendar:CalendarItemType",
)
_DETAILS = (
    "item:Subject",
    "item:Sensitivity",
    "item:Body",
    "item:Categories",
    "calendar:IsAllDayEvent",
    "calendar:LegacyFreeBusyStatus",
    "calendar:Location",
    "calendar:IsCancelled",
    "calendar:MyResponseType",
    "calendar:Organizer",
    "calendar:RequiredAttendees",
    "calendar:OptionalAttendees",
    "calendar:Resources",
)
_WHOLE = (
    "item:LastModifiedTime",
    "calendar:UID",
    "calendar:Start",
    "calendar:End",
    "calendar:CalendarItemType",
    "calendar:Recurrence",
    "calendar:ModifiedOccurrences",
    "calendar:DeletedOccurrences",
    "calendar:StartTimeZone",
    "calendar:EndTimeZone",
)
_SINCE_2013 = ("calendar:JoinOnlineMeetingUrl",)
# The ids stand in for the definitions where a server gives those no id of their own.
_ZONE_IDS_SINCE_2013 = ("calendar:StartTimeZoneId", "calendar:EndTimeZoneId")

# Microsoft documents 3 for 2013 and none for 2010.
_STREAMS_OF_2013 = 3
_STREAMS_SINCE_2016 = 10

_OF_2010 = Dialect("Exchange2010_SP2", _LISTING, _DETAILS + _WHOLE, _DETAILS, _STREAMS_OF_2013)


def _since_2013(request_version: str, streams: int) -> Dialect:
    return Dialect(
        request_version,
        _LISTING,
        _DETAILS + _SINCE_2013 + _WHOLE + _ZONE_IDS_SINCE_2013,
        _DETAILS + _SINCE_2013,
        streams,
    )


_OF_2013 = _since_2013("Exchange2013_SP1", _STREAMS_OF_2013)
_OF_2016 = _since_2013("Exchange2016", _STREAMS_SINCE_2016)

DIALECTS: dict[ExchangeVersion, Dialect] = {
    ExchangeVersion.EXCHANGE_2010: _OF_2010,
    ExchangeVersion.EXCHANGE_2013: _OF_2013,
    ExchangeVersion.EXCHANGE_2016: _OF_2016,
    ExchangeVersion.EXCHANGE_2019: _OF_2016,
    ExchangeVersion.EXCHANGE_SE: _OF_2016,
}
