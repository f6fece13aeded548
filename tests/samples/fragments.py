"""Parts of answers: the only thing that was to be had of them."""

from __future__ import annotations

FRAGMENTS = {
    "field/fragment-attendees-empty-address-mailboxtype-user.xml": "attendees",
    "field/fragment-endtimezone-tzone-microsoft-utc.xml": "zone",
    "field/fragment-series-received-meeting-isrecurring-true.xml": "item",
}
