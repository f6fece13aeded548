"""Elements of the types namespace, for tests, from short XML without prefixes."""

from __future__ import annotations

from lxml import etree

TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"


def element(xml: str) -> etree._Element:
    """Parse XML whose tags belong to the types namespace."""
    name = xml[1:].split(">", 1)[0].split(" ", 1)[0].rstrip("/")
    return etree.fromstring(xml.replace(f"<{name}", f'<{name} xmlns="{TYPES}"', 1))


def item(*inner: str) -> etree._Element:
    """Give a CalendarItem, complete but for what is given."""
    content = "".join(inner)
    defaults = {
        "ItemId": '<ItemId Id="id" ChangeKey="key"/>',
        "UID": "<UID>uid</UID>",
        "Start": "<Start>2027-03-01T08:00:00Z</Start>",
        "End": "<End>2027-03-01T09:00:00Z</End>",
        "CalendarItemType": "<CalendarItemType>Single</CalendarItemType>",
        "StartTimeZone": '<StartTimeZone Id="W. Europe Standard Time"/>',
    }
    told = {etree.QName(child).localname for child in element(f"<a>{content}</a>")}
    added = [value for name, value in defaults.items() if name not in told]
    return element(f"<CalendarItem>{''.join(added)}{content}</CalendarItem>")
