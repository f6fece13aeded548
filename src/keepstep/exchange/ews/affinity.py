"""Affinity: bringing what belongs to one group of subscriptions to the machine that holds them.

From 2013 on, X-AnchorMailbox and X-PreferServerAffinity with the first subscription have the front
end set X-BackEndOverrideCookie, which each further request of the group sends back; 2010 does the
same by exchangecookie alone (Microsoft, "Maintain affinity between a group of subscriptions and
the Mailbox server"). Of all cookies only these two are kept, and each only for its group: it would
tie another's requests to the wrong machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_COOKIES = ("X-BackEndOverrideCookie", "exchangecookie")
# RFC 6265, 4.1.1: what a cookie's value is made of.
_VALUE = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,1024}"
# Several Set-Cookie headers come joined by commas.
_SET = re.compile(rf"(?:^|,)\s*({'|'.join(_COOKIES)})=({_VALUE})(?=\s*(?:[;,]|$))", re.IGNORECASE)
_NAMES = {name.lower(): name for name in _COOKIES}
# What a front end says of a request to a machine that is gone. Forgetting one that is not costs no
# more than to subscribe anew what is not found on the next.
_PERHAPS_GONE = frozenset({"server-busy", "server-error", "store-unavailable", "timed-out"})


class Affinity:
    """The cookies of each group, by the address of its anchor."""

    def __init__(self) -> None:
        self._cookies: dict[str, dict[str, str]] = {}

    def headers(self, anchor: str) -> dict[str, str]:
        """Give the headers for a request of the group."""
        told = {"X-AnchorMailbox": anchor, "X-PreferServerAffinity": "true"}
        cookies = self._cookies.get(anchor.lower())
        if cookies:
            told["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return told

    def learn(self, anchor: str, headers: Mapping[str, str]) -> None:
        """Keep what an answer to the group sets; `headers` have lower-case names."""
        for name, value in _SET.findall(headers.get("set-cookie", "")):
            self._cookies.setdefault(anchor.lower(), {})[_NAMES[name.lower()]] = value

    def failed(self, anchor: str, code: str) -> None:
        """Learn from a request of the group that failed with a code of the catalogue."""
        if code in _PERHAPS_GONE:
            self.forget(anchor)

    def forget(self, anchor: str) -> None:
        """Forget the machine: it has nothing of the group any more."""
        self._cookies.pop(anchor.lower(), None)
