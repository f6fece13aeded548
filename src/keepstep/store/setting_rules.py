"""The application settings: their names, meanings, defaults, and what may be set."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from keepstep.core.addresses import is_forbidden
from keepstep.core.appointment import Sensitivity, ShowAs
from keepstep.core.delivery import Delivery
from keepstep.core.skip import PrivateAppointments, fold
from keepstep.store.fields import read_email, read_line, read_number, read_switch, shown

LARGEST_BATCH = 512
LONGEST_PAST = 36500
LONGEST_URL = 2000
LONGEST_VALUE = 10_000
MOST_WORDS = 100
MICROSOFT = "https://login.microsoftonline.com"
# Of Microsoft Entra: issuers that stand for the tenants of anybody.
_SEVERAL_TENANTS = ("common", "organizations", "consumers")

Value = bool | int | str | tuple[str, ...] | None


class Version(StrEnum):
    """What `exchange_version` can be."""

    EXCHANGE_2010 = "Exchange2010"
    EXCHANGE_2013 = "Exchange2013"
    EXCHANGE_2016 = "Exchange2016"
    EXCHANGE_2019 = "Exchange2019"
    EXCHANGE_SE = "ExchangeSE"


class SignIn(StrEnum):
    """What `auth` can be."""

    BASIC = "basic"
    NTLM = "ntlm"
    NEGOTIATE = "negotiate"
    OAUTH = "oauth"


class MailSecurity(StrEnum):
    """What `smtp_security` can be."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Rule:
    """One setting. `read` gives the typed value of a text or raises ValueError with the reason.

    `default` is text, as one would type it. A secret one is stored encrypted and never shown.
    """

    name: str
    help: str
    default: str
    read: Callable[[str], Value]
    secret: bool = False


def write(value: Value) -> str:
    """Give the text of a typed value: what `Rule.read` reads back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ";".join(value)
    return str(value)


def is_loopback(url: str) -> bool:
    """Say whether the URL's host is this machine by its loopback interface."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    return lambda text: read_number(text, lowest, highest)


def _number_or_none(lowest: int, highest: int) -> Callable[[str], int | None]:
    return lambda text: read_number(text, lowest, highest) if text.strip() else None


def _one_of(kind: type[StrEnum]) -> Callable[[str], StrEnum]:
    def read(text: str) -> StrEnum:
        word = text.strip().casefold()
        for each in kind:
            if each.casefold() == word:
                return each
        raise ValueError(f"must be one of {', '.join(kind)}, not {shown(text)}")

    return read


def _some_of(kind: type[StrEnum]) -> Callable[[str], tuple[StrEnum, ...]]:
    """Read members separated by ;, in any case, blanks and hyphens for underscores."""
    by_word = {each.value: each for each in kind}

    def read(text: str) -> tuple[StrEnum, ...]:
        found: list[StrEnum] = []
        for part in filter(None, map(str.strip, text.split(";"))):
            member = by_word.get("_".join(part.casefold().replace("-", " ").split()))
            if member is None:
                raise ValueError(f"must be some of {', '.join(kind)}, not {shown(part)}")
            found.append(member)
        return tuple(dict.fromkeys(found))

    return read


def _words(text: str) -> tuple[str, ...]:
    """Read texts separated by ;, each once whatever its case."""
    found = {fold(each): each for each in map(read_line, text.split(";")) if each}
    if len(found) > MOST_WORDS:
        raise ValueError(f"must be at most {MOST_WORDS}, not {len(found)}")
    return tuple(found.values())


def _url(text: str) -> str:
    """Read the address of a server: scheme, host, perhaps port and path. "" stays ""."""
    url = text.strip()
    if not url:
        return ""
    if len(url) > LONGEST_URL:
        raise ValueError(f"must have at most {LONGEST_URL} characters, not {len(url)}")
    if "\\" in url or any(c.isspace() or unicodedata.category(c)[0] == "C" for c in url):
        raise ValueError("must have no blanks, backslashes or control characters")
    try:
        parts = urlsplit(url)
        _check_parts(parts, url)
    except ValueError as error:
        if str(error).startswith("must"):
            raise
        raise ValueError(f"must be a URL: {error}") from None
    return url


def _check_parts(parts: SplitResult, url: str) -> None:
    if parts.scheme not in {"http", "https"} or "://" not in url:
        raise ValueError("must begin with https:// (or http://)")
    # The address is not repeated here: it holds a password.
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    if not parts.hostname:
        raise ValueError("must name a host after the scheme")
    if parts.port == 0:
        raise ValueError("must have a port from 1 to 65535")
    if "?" in url or "#" in url:
        raise ValueError("must have neither a query (?) nor a fragment (#)")


def asked_url(text: str) -> str:
    """Read the address of a server that we ask: not one that only a cloud's machines shall ask."""
    url = _url(text)
    if url and is_forbidden(urlsplit(url).hostname or ""):
        raise ValueError("must not lead to cloud metadata or a link-local address")
    return url


def _https_url(text: str) -> str:
    url = asked_url(text)
    if url and urlsplit(url).scheme != "https":
        raise ValueError("must begin with https://")
    return url


def _issuer(text: str) -> str:
    """Read the name of a sign-in service: its address, without what is looked up below it."""
    url = asked_url(text).removesuffix("/.well-known/openid-configuration")
    if url and urlsplit(url).scheme != "https" and not is_loopback(url):
        raise ValueError("must begin with https://")
    if any(f"/{each}/" in f"{url}/" for each in _SEVERAL_TENANTS):
        raise ValueError("must name one tenant: anybody could sign in from any other")
    return url


def _scope(text: str) -> str:
    words = read_line(text).split()
    if words and "openid" not in words:
        raise ValueError("must hold openid")
    return " ".join(words)


def _word(text: str) -> str:
    """Read what is one word of a URL or a form: no blanks, no control characters."""
    word = read_line(text)
    if any(each.isspace() for each in word):
        raise ValueError("must have no blanks")
    return word


def _tenant(text: str) -> str:
    word = _word(text)
    if any(each in word for each in "?#\\@:") or ".." in word:
        raise ValueError("must be the id or name of a tenant")
    return word


def _proxy(text: str) -> str:
    url = asked_url(text)
    if url and urlsplit(url).path not in {"", "/"}:
        raise ValueError("must be of the form http://HOST:PORT, without a path")
    return url


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(read_email(each) for each in text.split(";") if each.strip())


def _address(text: str) -> str:
    return read_email(text) if text.strip() else ""


def _host(text: str) -> str:
    """Read the name or IP address of a host. "" stays ""."""
    host = text.strip()
    if not all(c.isascii() and (c.isalnum() or c in ".-_:") for c in host) or len(host) > 253:
        raise ValueError(f"must be the name or address of a host, not {shown(text)}")
    if ":" in host and host.count(":") < 2:
        raise ValueError("must be a host alone: its port is smtp_port")
    return host


def _file(text: str) -> str:
    if any(unicodedata.category(c) == "Cc" for c in text):
        raise ValueError("must be the path of a file")
    path = text.strip()
    return str(Path(path).expanduser().absolute()) if path else ""


def _password(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a NUL character")
    if any(unicodedata.category(each) == "Cs" for each in text):
        raise ValueError("must not hold half a character")
    return text


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("calendar_integration", "Whether calendars are read at all", "off", read_switch),
        Rule("exchange_url", "Address of EWS: https://HOST/EWS/Exchange.asmx", "", asked_url),
        Rule("exchange_version", "Version of the server", "Exchange2013", _one_of(Version)),
        Rule("batch_size", "Items asked for at once", "100", _number(1, LARGEST_BATCH)),
        Rule("notification_url", "Address at which Exchange reaches this server", "", _url),
        Rule("site_url", "Address at which people reach the pages, for links in e-mails", "", _url),
        Rule("delivery", "How changes come to be known", "automatic", _one_of(Delivery)),
        Rule("safety_poll", "Minutes between polls while notified", "60", _number(1, 1440)),
        Rule("notification_frequency", "Minutes until a failure counts", "30", _number(1, 1440)),
        Rule("notify_sync_failure_to", "E-mail addresses, separated by ;", "", _addresses),
        Rule("username", "The service account", "", read_line),
        Rule("password", "Its password", "", _password, secret=True),
        Rule("auth", "How it signs in", "basic", _one_of(SignIn)),
        Rule("oauth_authority", "The sign-in service", MICROSOFT, _https_url),
        Rule("oauth_tenant", "The tenant there: its id or name", "", _tenant),
        Rule("oauth_client_id", "The application's id", "", _word),
        Rule("oauth_client_secret", "The application's secret", "", _password, secret=True),
        Rule("oauth_scope", "What the token is for: https://HOST/.default", "", _word),
        Rule("past_days", "Days of the past that come in", "180", _number(0, LONGEST_PAST)),
        Rule(
            "private_appointments",
            "What of private ones is kept",
            "busy-only",
            _one_of(PrivateAppointments),
        ),
        Rule("skip_categories", "Left out: of one of these categories (;)", "", _words),
        Rule("skip_show_as", "Left out: shown as free, tentative, … (;)", "", _some_of(ShowAs)),
        Rule(
            "skip_sensitivities",
            "Left out: private, confidential, … (;)",
            "",
            _some_of(Sensitivity),
        ),
        Rule("skip_declined", "Left out: what the operator declined", "off", read_switch),
        Rule("skip_all_day", "Left out: all-day ones", "off", read_switch),
        Rule("skip_subject_contains", "Left out: with this in the subject (;)", "", _words),
        Rule("allow_plain_http", "Passwords over http to other machines", "off", read_switch),
        Rule("connections", "Connections at once (empty: by version)", "", _number_or_none(1, 200)),
        Rule("timeout_seconds", "Seconds that an answer may take", "100", _number(1, 600)),
        Rule("ca_file", "Certificate of a private authority (PEM)", "", _file),
        Rule("smtp_host", "Mail server for failure e-mails", "", _host),
        Rule("smtp_port", "Its port (empty: 25, 587 or 465)", "", _number_or_none(1, 65535)),
        Rule("smtp_security", "How it is spoken to", "none", _one_of(MailSecurity)),
        Rule("smtp_username", "The user there (empty: no sign-in)", "", read_line),
        Rule("smtp_password", "The user's password there", "", _password, secret=True),
        Rule("smtp_from", "Sender of the e-mails", "", _address),
        Rule("history_days", "Days that history is kept", "90", _number(1, LONGEST_PAST)),
        Rule("run_days", "Days that runs are kept", "30", _number(1, LONGEST_PAST)),
        Rule(
            "past_keep_days",
            "Days that past appointments are kept (empty: for ever)",
            "",
            _number_or_none(1, LONGEST_PAST),
        ),
        Rule(
            "api_requests_per_minute",
            "Requests that a token of the API may make in a minute",
            "600",
            _number(1, 1_000_000),
        ),
        Rule(
            "webhook_private_targets",
            "Whether webhooks may lead to private addresses and this machine",
            "off",
            read_switch,
        ),
        Rule("http_proxy", "Proxy on the way out: http://HOST:PORT", "", _proxy),
        Rule("sso_issuer", "Sign-in service of the pages (OpenID Connect issuer)", "", _issuer),
        Rule("sso_client_id", "The application's id there", "", _word),
        Rule("sso_client_secret", "The application's secret there", "", _password, secret=True),
        Rule("sso_name", "Name of the service, on the sign-in page", "", read_line),
        Rule("sso_scope", "What is asked of the service", "openid email profile", _scope),
        Rule("sso_email_claim", "Claim that holds the e-mail address", "email", _word),
        Rule("sso_trust_email", "Addresses count as verified unsaid", "off", read_switch),
        Rule("sso_role_claim", "Claim that decides the role (empty: none)", "", _word),
        Rule("sso_administrators", "Its values for an administrator (;)", "", _words),
        Rule("sso_operators", "Its values for an operator (;)", "", _words),
        Rule("sso_auditors", "Its values for an auditor (;)", "", _words),
        Rule("sso_group_claim", "Claim that decides the access group (empty: none)", "", _word),
        Rule("sso_create", "Signing in makes the account of a newcomer", "off", read_switch),
        Rule("sso_passwords", "Whether passwords let in, too", "on", read_switch),
    )
}
