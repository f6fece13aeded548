"""Errors of sockets, TLS and libcurl as codes of the catalogue, in one table each.

The detail names the kind of error, never what an address or a header held.
"""

from __future__ import annotations

import ssl

import pycurl

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.transfers import Broken

FOREIGN_ERRORS = (Broken, OSError, TimeoutError, ValueError, pycurl.error)

# The first row that fits counts, so the particular stand before the general.
_TABLE: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "tls-failed"),
    (TimeoutError, "timed-out"),
    (OSError, "connection-refused"),
    (ValueError, "not-exchange"),
    (pycurl.error, "not-exchange"),
)

# What libcurl says, whatever had been heard by then; all else is decided by that.
_NUMBERS = {
    pycurl.E_UNSUPPORTED_PROTOCOL: "not-exchange",
    pycurl.E_URL_MALFORMAT: "not-exchange",
    pycurl.E_COULDNT_RESOLVE_PROXY: "proxy-in-the-way",
    pycurl.E_COULDNT_RESOLVE_HOST: "name-not-found",
    pycurl.E_COULDNT_CONNECT: "connection-refused",
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "not-exchange",
    pycurl.E_PARTIAL_FILE: "answer-unreadable",
    pycurl.E_OPERATION_TIMEDOUT: "timed-out",
    pycurl.E_SSL_CONNECT_ERROR: "tls-failed",
    pycurl.E_GOT_NOTHING: "connection-refused",
    pycurl.E_SEND_ERROR: "connection-refused",
    pycurl.E_SSL_CERTPROBLEM: "tls-failed",
    pycurl.E_SSL_CIPHER: "tls-failed",
    pycurl.E_PEER_FAILED_VERIFICATION: "certificate-not-trusted",
    pycurl.E_FILESIZE_EXCEEDED: "answer-too-large",
    pycurl.E_SSL_CACERT_BADFILE: "certificate-not-trusted",
    pycurl.E_SSL_INVALIDCERTSTATUS: "certificate-not-trusted",
}

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_CERTIFICATE_CODES = {
    10: "certificate-expired",
    62: "certificate-wrong-name",
    64: "certificate-wrong-name",
}
# The names are compared by libcurl itself, after OpenSSL found nothing amiss.
_CHAIN_IS_GOOD = (0, 1)
_CONNECTED = 200


def failure_of(error: BaseException) -> ExchangeError:
    """Give the catalogue's error for one of `FOREIGN_ERRORS`, before anything was heard."""
    if isinstance(error, Broken):
        return failure_of_transfer(error, b"")
    kind = type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        why = getattr(error, "verify_code", 0)
        return ExchangeError(_CERTIFICATE_CODES.get(why, "certificate-not-trusted"), kind)
    for foreign, code in _TABLE:
        if isinstance(error, foreign):
            return ExchangeError(code, kind)
    return ExchangeError("connection-refused", kind)


def failure_of_transfer(error: Broken, heard: bytes, *, by_proxy: bool = False) -> ExchangeError:
    """Give the catalogue's error for a broken transfer, of whose headers so much was heard."""
    return ExchangeError(_code(error, heard, by_proxy=by_proxy), str(error))


def _code(error: Broken, heard: bytes, *, by_proxy: bool) -> str:
    if by_proxy and not heard:
        refused = error.connected not in (0, _CONNECTED)
        if refused or error.number == pycurl.E_COULDNT_CONNECT:
            return "proxy-in-the-way"
    if error.number == pycurl.E_PEER_FAILED_VERIFICATION:
        if error.verified in _CHAIN_IS_GOOD:
            return "certificate-wrong-name"
        return _CERTIFICATE_CODES.get(error.verified, "certificate-not-trusted")
    known = _NUMBERS.get(error.number)
    if known is not None:
        return known
    if not heard:
        return "connection-refused"
    # It broke off within the headers, or they were more than libcurl puts up with; or later.
    return "answer-unreadable" if heard.endswith(b"\r\n\r\n") else "not-exchange"
