"""Autodiscover: from an e-mail address to the Exchange URL (MS-OXDSCLI, plain old XML).

Only https is asked. Credentials go to hosts of the address's own domain, and to those that the
person named; a redirect to any other host ends the search, which then tells of it. Nothing of the
result is taken over by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from keepstep.core.addresses import is_forbidden
from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.envelope import escaped
from keepstep.exchange.ews.faults import failure_of_status
from keepstep.exchange.ews.parse import parse
from keepstep.exchange.ews.wire import local_name

_REQUEST = (
    b'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns='
    b'"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">'
    b"<Request><EMailAddress>%b</EMailAddress><AcceptableResponseSchema>"
    b"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
    b"</AcceptableResponseSchema></Request></Autodiscover>"
)
_PATH = "/autodiscover/autodiscover.xml"
_MOST_REDIRECTS = 5
_LONGEST_URL = 2000

Post = Callable[[str, bytes], Awaitable[RawAnswer]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One place that was asked, and what came of it: `code` is "" where it was of use."""

    url: str
    result: str
    code: str = ""


@dataclass(slots=True)
class Discovery:
    """What was found: the EWS addresses, the best first; `asked` tells how it went.

    `unconfirmed` is a host that the search was sent to and that nobody has vouched for.
    """

    urls: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    unconfirmed: str = ""


async def discover(
    email: str, post: Post, *, accepted: Collection[str] = (), server: str = ""
) -> Discovery:
    """Search for the Exchange URL of an e-mail address.

    `post` sends a body to a URL with the service account's credentials, and gives the answer or
    raises `ExchangeError`. `accepted` are hosts that the person vouches for; `server` (HOST or
    HOST:PORT) is asked in place of those that the domain suggests.
    """
    domain = email.rpartition("@")[2].lower()
    trusted = {each.lower() for each in accepted}
    places = [server] if server else [domain, f"autodiscover.{domain}"]
    if server:
        trusted.add(_host(f"https://{server}/"))
    found = Discovery()
    search = _Search(email, domain, trusted, post, found)
    for place in places:
        await search.ask(f"https://{place}{_PATH}")
        if found.urls or found.unconfirmed:
            break
    return found


@dataclass(slots=True)
class _Search:
    email: str
    domain: str
    trusted: set[str]
    post: Post
    found: Discovery

    async def ask(self, url: str) -> None:
        """Ask there, and where it leads to, until there is an answer or nowhere to go."""
        for _ in range(_MOST_REDIRECTS + 1):
            if not self._may_ask(url):
                return
            further = await self._asked(url)
            if not further:
                return
            url = further
        self._note(url, "led on too often", "redirected")

    def _may_ask(self, url: str) -> bool:
        host = _host(url)
        if not host or urlsplit(url).scheme != "https" or len(url) > _LONGEST_URL:
            self._note(url, "not an https address", "redirected")
            return False
        if is_forbidden(host):
            self._note(url, "an address that must not be asked", "address-forbidden")
            return False
        own = host == self.domain or host.endswith(f".{self.domain}")
        if not own and host not in self.trusted:
            self.found.unconfirmed = host
            self._note(url, "not asked: another domain, which nobody has vouched for", "redirected")
            return False
        return True

    async def _asked(self, url: str) -> str:
        """Ask one place; give where it leads to, "" where the search ends."""
        try:
            raw = await self.post(url, _REQUEST % escaped(self.email))
            if 300 <= raw.status < 400:
                self._note(url, f"HTTP {raw.status}, led on")
                return raw.headers.get("location", "")
            if raw.status != 200:
                raise failure_of_status(raw.status)
            told = _told(raw.body)
        except ExchangeError as error:
            self._note(url, error.detail or "failed", error.code)
            return ""
        if told.leads_to:
            self._note(url, "led on")
            return told.leads_to
        self.found.urls = told.urls
        self._note(url, "answered" if told.urls else told.reason, "" if told.urls else told.code)
        return ""

    def _note(self, url: str, result: str, code: str = "") -> None:
        self.found.asked.append(Asked(url[:_LONGEST_URL], result, code))


@dataclass(slots=True)
class _Told:
    urls: list[str] = field(default_factory=list)
    leads_to: str = ""
    code: str = "not-exchange"
    reason: str = "no Exchange URL in the answer"


def _told(body: bytes) -> _Told:
    root = parse(body)
    if local_name(str(root.tag)) != "Autodiscover":
        raise ExchangeError("not-exchange", "no answer of Autodiscover")
    told = _Told()
    for element in root.iter():
        name = local_name(str(element.tag))
        text = (element.text or "").strip()
        if name in ("EwsUrl", "ASUrl") and _is_usable(text) and text not in told.urls:
            told.urls.append(text)
        elif name == "RedirectUrl":
            told.leads_to = text
        elif name == "RedirectAddr":
            told.code = "redirected"
            told.reason = f"the mailbox has another address: search for {text[:254]}"
        elif name == "ErrorCode" and text == "500":
            told.code, told.reason = "no-such-mailbox", "the address is not known there"
    return told


def _is_usable(url: str) -> bool:
    host = _host(url)
    usable = urlsplit(url).scheme in ("http", "https") if host else False
    return usable and len(url) <= _LONGEST_URL and url.isprintable() and not is_forbidden(host)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
