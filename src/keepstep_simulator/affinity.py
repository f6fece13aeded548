"""Which back end of the server a request reaches, and the cookie by which others reach the same.

As Microsoft documents affinity for notifications: a Subscribe with X-PreferServerAffinity gets the
cookie X-BackEndOverrideCookie; with both, later requests go where it says, else to the back end of
the X-AnchorMailbox. A subscription is known only where it was made.
"""

from collections.abc import Mapping
from zlib import crc32

COOKIE = "X-BackEndOverrideCookie"
_SERIAL = "1941996295"


class BackEnds:
    """The back ends; mailboxes are spread over them by their addresses."""

    def __init__(self, count: int) -> None:
        """Take how many there are."""
        self.names = tuple(f"ex{number:02d}.example.com" for number in range(1, count + 1))

    def home(self, address: str) -> str:
        """Give the back end of a mailbox."""
        return self.names[crc32(address.lower().encode()) % len(self.names)]

    def reached(self, headers: Mapping[str, str], address: str) -> str:
        """Give the back end that a request reaches; ``address`` is the mailbox that it is for."""
        if _prefers(headers):
            told = _cookies(headers).get(COOKIE, "").partition("~")[0]
            if told in self.names:
                return told
        return self.home(headers.get("x-anchormailbox") or address)

    def cookie(self, headers: Mapping[str, str], reached: str, *, secure: bool) -> dict[str, str]:
        """Give the headers that a Subscribe's answer has for affinity; none unless asked for."""
        if not _prefers(headers):
            return {}
        rest = "; path=/; secure; HttpOnly" if secure else "; path=/; HttpOnly"
        return {"Set-Cookie": f"{COOKIE}={reached}~{_SERIAL}{rest}"}


def _prefers(headers: Mapping[str, str]) -> bool:
    return headers.get("x-preferserveraffinity", "").strip().lower() == "true"


def _cookies(headers: Mapping[str, str]) -> dict[str, str]:
    pairs = (each.strip().partition("=") for each in headers.get("cookie", "").split(";"))
    return {name: value for name, _, value in pairs}
