"""The address by which one joins an online meeting, found in what an appointment says of itself.

Exchange tells it as a field of its own only where its own service made the meeting; all others
write it into the place or the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from keepstep.core.appointment import Details

# The services: the domains at which their meetings are joined, and the paths that only joining has.
_SERVICES = (
    ("Microsoft Teams", ("teams.microsoft.com", "teams.microsoft.us"), r"/(l/meetup-join|meet)/."),
    ("Microsoft Teams", ("teams.live.com",), r"/meet/."),
    ("Zoom", ("zoom.us", "zoomgov.com"), r"/(j|s|w|my)/."),
    ("Webex", ("webex.com",), r"/(meet|join|m)/.|.*/(j\.php|webappng/sites/.)"),
    ("Google Meet", ("meet.google.com",), r"/[a-z]{3}-[a-z]{4}-[a-z]{3}\b|/lookup/."),
)
_LONGEST = 2000
# What ends an address in running text. Invitations put addresses in angle brackets, too.
_ADDRESS = re.compile(r"https://[^\s<>\"'\\^`{|}\x00-\x1f\x7f]{4,2000}", re.IGNORECASE)
_TRAILING = ".,;:!?)]*_"
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
# So much of a text is looked through: an invitation has its address far before.
_LOOKED_THROUGH = 200_000


@dataclass(frozen=True, slots=True)
class JoinLink:
    """An address that joins a meeting: always https. `service` is "" where it is not known."""

    url: str
    host: str
    service: str


def join_link(details: Details) -> JoinLink | None:
    """Give the address to join by: the field of its own, else a known service's in place or text.

    Anything but https with a plain host name is passed over, so nothing that a sender writes can
    become a link that runs or that hides where it leads.
    """
    told = _link(details.join_url.strip())
    if told is not None:
        return told
    for text in (details.location, details.body):
        for match in _ADDRESS.finditer(text[:_LOOKED_THROUGH]):
            found = _link(match[0].rstrip(_TRAILING))
            if found is not None and found.service:
                return found
    return None


def _link(address: str) -> JoinLink | None:
    if not _ADDRESS.fullmatch(address) or len(address) > _LONGEST:
        return None
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.username is not None or not _HOST.fullmatch(host) or port not in (None, 443):
        return None
    return JoinLink(address, host, _service(host, parts.path))


def _service(host: str, path: str) -> str:
    for service, domains, joins in _SERVICES:
        at_home = any(host == domain or host.endswith("." + domain) for domain in domains)
        if at_home and re.match(joins, path):
            return service
    return ""
