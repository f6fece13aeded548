"""HTTP with limits on everything that comes back, and on where it may go.

No redirect is followed here (see `redirects`), no cookie is kept, no setting of the environment is
used. Each address is looked at before it is connected to, so that no name leads to what a cloud
tells its machines about themselves. Errors of what lies underneath become codes of the catalogue
in one place, `network_errors`.
"""

from __future__ import annotations

import os
import socket
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import pycurl

from keepstep import __version__
from keepstep.core.addresses import is_forbidden
from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import Headers, RawAnswer
from keepstep.exchange.ews.network_errors import FOREIGN_ERRORS, failure_of, failure_of_transfer
from keepstep.exchange.ews.transfers import Broken, Handle, Transfers

# With the number of the process, so that Exchange's log tells several workers apart.
_HEADERS = {
    "User-Agent": f"Keepstep/{__version__} ({os.getpid()})",
    "Accept-Encoding": "gzip, deflate",
}
# libcurl would add these by itself; a colon alone leaves one out.
_LEFT_OUT = {"Expect": b"Expect:", "Accept": b"Accept:"}
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
# Longer than a minute, so that a connection lasts from one round to the next; IIS keeps them two.
_KEEP_SECONDS = 75
# Options that pycurl has no names for (curl.h).
_SUPPRESS_CONNECT_HEADERS, _DISALLOW_USERNAME_IN_URL, _QUICK_EXIT = 265, 278, 322


@dataclass(frozen=True, slots=True)
class Limits:
    """What is put up with: seconds to connect and in all, bytes of an answer once unpacked."""

    connections: int = 20
    connect_seconds: float = 10
    total_seconds: float = 100
    answer_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Way:
    """How servers are reached.

    `ca_file` names a file of certificates to trust beside the system's; `proxy` is the URL of an
    HTTP proxy ("": none); `known` are names whose addresses nobody is asked for, each as
    `host:port:address`. TLS certificates are always verified.
    """

    limits: Limits = Limits()
    ca_file: Path | None = None
    proxy: str = ""
    known: tuple[str, ...] = ()


def refuse_forbidden(host: str) -> None:
    """Raise `ExchangeError` address-forbidden for a host that must not be asked."""
    if is_forbidden(host):
        raise ExchangeError("address-forbidden", "an address of cloud metadata or link-local")


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Give what verifies certificates. Raises `ExchangeError` where `ca_file` can't be read."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError):
            raise ExchangeError("certificate-not-trusted", "ca_file can't be read") from None
    return context


class About(dict[str, str]):
    """The headers that one request has beside those that it has in `common` with others.

    As long as `common` is the same mapping, its lines are made once and not for each request.
    """

    def __init__(self, common: Mapping[str, str], own: Mapping[str, str]) -> None:
        super().__init__(own)
        self.common = common


class Session:
    """Connections to one server or more, for one event loop; a context manager.

    `connections` is how many are kept (of 1 the server's certificate is told with each answer).
    Without `is_timed` an answer may last for ever once its connection is there. Raises
    `ExchangeError` where the certificates to trust can't be read.
    """

    def __init__(self, way: Way, *, connections: int = 0, is_timed: bool = True) -> None:
        if way.ca_file is not None:
            trust(way.ca_file)
        self.way = way
        self._connections = connections or way.limits.connections
        self._is_timed = is_timed
        self._transfers: Transfers | None = None
        self._is_forbidden = False
        self._certificate = b""
        self._common: Mapping[str, str] | None = None
        self._common_lines: list[bytes] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._transfers is not None:
            self._transfers.close()

    @property
    def transfers(self) -> Transfers:
        """What carries out this session's transfers."""
        if self._transfers is None:
            self._transfers = Transfers(self._prepare, self._connections)
        return self._transfers

    def tell(
        self, handle: Handle, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> None:
        """Tell a handle what to ask. Raises `ExchangeError` for an address not to be asked."""
        curl = handle.curl
        if handle.place != (method, url):
            # An address in place of a name never comes to where sockets are opened.
            refuse_forbidden(urlsplit(url).hostname or "")
            curl.setopt(pycurl.URL, url.encode())
            curl.setopt(pycurl.HTTPGET if body is None else pycurl.POST, 1)
            curl.setopt(pycurl.CUSTOMREQUEST, method)
            handle.place = (method, url)
        if body is not None:
            curl.setopt(pycurl.POSTFIELDS, body)
        curl.setopt(pycurl.HTTPHEADER, self._lines_of(headers))

    def _lines_of(self, headers: Mapping[str, str]) -> list[bytes]:
        """Give the lines of these headers, and of those that all requests have."""
        if isinstance(headers, About):
            return [*self._lines_of(headers.common), *map(_line, headers, headers.values())]
        if headers is not self._common:
            lines = [*map(_line, headers, headers.values())]
            lines += [_line(*each) for each in _HEADERS.items() if each[0] not in headers]
            lines += [left_out for name, left_out in _LEFT_OUT.items() if name not in headers]
            self._common, self._common_lines = headers, lines
        return self._common_lines

    def certificate(self, handle: Handle) -> bytes:
        """Give the server's certificate in DER, b"" where there is none or it is not told."""
        if self._connections != 1:
            return b""
        if handle.curl.getinfo(pycurl.NUM_CONNECTS):
            # Told of a new connection alone: of this session there is one at a time.
            chain: list[Any] = handle.curl.getinfo_raw(pycurl.INFO_CERTINFO) or [()]
            pem = dict(chain[0]).get(b"Cert", b"")
            self._certificate = ssl.PEM_cert_to_DER_cert(pem.decode("ascii")) if pem else b""
        return self._certificate

    def failure(self, error: Broken, heard: bytes) -> ExchangeError:
        """Give the catalogue's error for a broken transfer of this session."""
        if self._is_forbidden and error.number == pycurl.E_COULDNT_CONNECT:
            return ExchangeError("address-forbidden", "an address of cloud metadata or link-local")
        return failure_of_transfer(error, heard, by_proxy=bool(self.way.proxy))

    def _prepare(self, curl: pycurl.Curl) -> None:
        way, limits = self.way, self.way.limits
        options: dict[int, Any] = {
            pycurl.NOSIGNAL: 1,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PATH_AS_IS: 1,
            _DISALLOW_USERNAME_IN_URL: 1,
            # A name server that does not answer holds nobody up who closes the session.
            _QUICK_EXIT: 1,
            # "" is none; unset, the environment's would be taken.
            pycurl.PROXY: way.proxy,
            pycurl.NOPROXY: "",
            _SUPPRESS_CONNECT_HEADERS: 1,
            pycurl.OPENSOCKETFUNCTION: self._open_socket,
            pycurl.MAXAGE_CONN: _KEEP_SECONDS,
            pycurl.CONNECTTIMEOUT_MS: round(1000 * limits.connect_seconds),
            pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
        }
        if self._is_timed:
            options[pycurl.TIMEOUT_MS] = round(1000 * limits.total_seconds)
            options[pycurl.MAXFILESIZE_LARGE] = limits.answer_bytes
        if self._connections == 1:
            options[pycurl.OPT_CERTINFO] = 1
        if way.known:
            options[pycurl.RESOLVE] = list(way.known)
        for option, value in (options | _authorities(way.ca_file)).items():
            curl.setopt(option, value)

    def _open_socket(self, _purpose: int, told: Any) -> socket.socket | int:
        family, kind, protocol, address = told
        host = address[0] if isinstance(address, tuple) else ""
        if is_forbidden(host.decode() if isinstance(host, bytes) else str(host)):
            self._is_forbidden = True
            return int(pycurl.SOCKET_BAD)
        return socket.socket(family, kind, protocol)


def _authorities(ca_file: Path | None) -> dict[int, Any]:
    """Give what libcurl needs to trust whom OpenSSL trusts on this machine, and `ca_file`."""
    system = ssl.get_default_verify_paths()
    files = [each for each in (system.cafile, ca_file) if each is not None]
    pem = b"\n".join(Path(each).read_bytes() for each in files)
    found: dict[int, Any] = {pycurl.CAPATH: system.capath} if system.capath else {}
    if pem:
        found |= {pycurl.CAINFO_BLOB: pem, pycurl.PROXY_CAINFO_BLOB: pem}
    if system.capath:
        found[pycurl.PROXY_CAPATH] = system.capath
    return found


class Ask(Protocol):
    """What sends one request and gives the answer: `ask`, or that of a `Holder`."""

    async def __call__(
        self,
        session: Session,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> RawAnswer:
        """Send one request."""
        ...


async def ask(
    session: Session,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> RawAnswer:
    """Send one request and give the whole answer; raises `ExchangeError` where none came."""
    transfers = session.transfers
    handle = transfers.taken()
    try:
        session.tell(handle, method, url, headers, body)
        await transfers.begin(handle)
        told = Headers(last_of(b"".join(handle.heard)))
        whole = b"".join(handle.taken)
        certificate = session.certificate(handle)
        status = handle.curl.getinfo(pycurl.RESPONSE_CODE)
        seconds = handle.curl.getinfo(pycurl.TOTAL_TIME)
    except Broken as error:
        raise session.failure(error, b"".join(handle.heard)) from error
    except FOREIGN_ERRORS as error:
        raise failure_of(error) from error
    finally:
        transfers.release(handle)
    body = _unpacked(told, whole, session.way)
    return RawAnswer(status, told, body, certificate, seconds)


def _line(name: str, value: str) -> bytes:
    line = f"{name}: {value}".encode()
    if b"\n" in line or b"\r" in line or b"\0" in line:
        raise ValueError("a header of several lines")
    return line


def last_of(heard: bytes) -> bytes:
    """Give the headers of the answer, without those of answers that only announced it."""
    begins = heard.rfind(b"\nHTTP/")
    return heard if begins < 0 else heard[begins + 1 :]


async def fetch(
    way: Way,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> RawAnswer:
    """Send one request on a connection of its own. Raises as `ask` does."""
    async with Session(way, connections=1) as session:
        return await ask(session, method, url, headers=headers or {}, body=body)


def _unpacked(headers: Headers, body: bytes, way: Way) -> bytes:
    """Give the body unpacked; a bomb is noticed when it has unfolded to the limit."""
    if not headers.may_have(b"content-encoding"):
        return body
    name = headers.get("content-encoding", "").strip().lower()
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise ExchangeError("answer-unreadable", "an unknown content encoding")
    most = way.limits.answer_bytes
    unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        whole = unpacking.decompress(body, most + 1)
    except zlib.error:
        raise ExchangeError("answer-unreadable", "damaged compression") from None
    if len(whole) > most:
        raise ExchangeError("answer-too-large", f"over {most} bytes")
    return whole
