"""Errors of sockets, TLS and aiohttp as codes of the catalogue, in one table.

The first row that fits counts, so the particular stand before the general. The detail names the
kind of error, never what an address or a header held.
"""

from __future__ import annotations

import ssl

import aiohttp

from keepstep.core.errors import ExchangeError

FOREIGN_ERRORS = (aiohttp.ClientError, OSError, TimeoutError, ValueError)

_TABLE: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientProxyConnectionError, "proxy-in-the-way"),
    (aiohttp.ClientHttpProxyError, "proxy-in-the-way"),
    (aiohttp.ClientConnectorDNSError, "name-not-found"),
    (aiohttp.ClientConnectorSSLError, "tls-failed"),
    (ssl.SSLError, "tls-failed"),
    (TimeoutError, "timed-out"),
    (aiohttp.InvalidURL, "not-exchange"),
    (aiohttp.ClientPayloadError, "answer-unreadable"),
    (aiohttp.ClientResponseError, "not-exchange"),
    (aiohttp.ClientConnectionError, "connection-refused"),
    (OSError, "connection-refused"),
    (aiohttp.ClientError, "connection-refused"),
    (ValueError, "not-exchange"),
)

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_CERTIFICATE_CODES = {
    10: "certificate-expired",
    62: "certificate-wrong-name",
    64: "certificate-wrong-name",
}


def failure_of(error: BaseException) -> ExchangeError:
    """Give the catalogue's error for one of `FOREIGN_ERRORS`."""
    kind = type(error).__name__
    cause = getattr(error, "certificate_error", error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = getattr(cause, "verify_code", 0)
        return ExchangeError(_CERTIFICATE_CODES.get(why, "certificate-not-trusted"), kind)
    for foreign, code in _TABLE:
        if isinstance(error, foreign):
            return ExchangeError(code, kind)
    return ExchangeError("connection-refused", kind)
