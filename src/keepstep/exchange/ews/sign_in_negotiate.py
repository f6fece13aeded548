"""NTLM and Negotiate (MS-NTHT, RFC 4559): a handshake signs in a connection.

The handshake is bound to the TLS connection by the server's certificate (tls-server-end-point,
RFC 5929), which Exchange requires where its Extended Protection is on: the default since
Exchange 2019 CU14.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from hashlib import new
from typing import Literal

import spnego
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from spnego.channel_bindings import GssChannelBindings

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.sign_in import REFUSED, Send, SignIn, challenges

Scheme = Literal["NTLM", "Negotiate"]

_OTHER: dict[Scheme, Scheme] = {"NTLM": "Negotiate", "Negotiate": "NTLM"}
_MOST_LEGS = 5


@dataclass(frozen=True, slots=True)
class NegotiateSignIn:
    """User name and password by NTLM or Negotiate, the scheme named being preferred.

    A server that offers only the other one is signed in to by that. `host` is the server's name,
    for which Kerberos, where this machine has it, gives its ticket.
    """

    username: str
    password: str = field(repr=False)
    host: str
    scheme: Scheme = "NTLM"

    def of_connection(self) -> SignIn:
        """Give the sign-in of a new connection."""
        return _Connection(self)


class _Connection:
    """The sign-in of one connection, which may be replaced by a new one at any time."""

    def __init__(self, account: NegotiateSignIn) -> None:
        self._account = account
        self._scheme: Scheme = account.scheme
        self._signed_in = False

    async def send(self, send: Send) -> RawAnswer:
        """Send on the connection as it stands; sign in where it is, or became, a new one."""
        if self._signed_in:
            answer = await send({})
            if answer.status != REFUSED:
                return answer
        self._signed_in = False
        answer = await self._signed(send)
        self._signed_in = answer.status != REFUSED
        return answer

    async def _signed(self, send: Send) -> RawAnswer:
        answer, offered = await self._hands_shaken(send)
        if offered and self._scheme not in offered:
            if _OTHER[self._scheme] not in offered:
                told = f"the server offers {', '.join(offered)}"
                raise ExchangeError("sign-in-not-offered", told)
            self._scheme = _OTHER[self._scheme]
            answer, _ = await self._hands_shaken(send)
        return answer

    async def _hands_shaken(self, send: Send) -> tuple[RawAnswer, dict[str, bytes]]:
        """Give the last answer, and what the server offers where it accepted no handshake."""
        account = self._account
        try:
            context = await asyncio.to_thread(
                spnego.client,
                account.username,
                account.password,
                hostname=account.host,
                service="HTTP",
                protocol=self._scheme.lower(),
            )
            token = await asyncio.to_thread(context.step)
            for _ in range(_MOST_LEGS):
                told = base64.b64encode(token or b"").decode("ascii")
                answer = await send({"Authorization": f"{self._scheme} {told}"})
                if answer.status != REFUSED:
                    return answer, {}
                offered = challenges(answer)
                challenge = offered.get(self._scheme, b"")
                if not challenge or context.complete:
                    return answer, {} if context.complete else offered
                bindings = channel_bindings(answer.certificate)
                token = await asyncio.to_thread(context.step, challenge, channel_bindings=bindings)
        except ExchangeError:
            raise
        except Exception as error:  # of senseless challenges pyspnego raises anything
            raise ExchangeError("sign-in-refused", type(error).__name__) from error
        raise ExchangeError("sign-in-refused", "a handshake without end")


def channel_bindings(certificate: bytes) -> GssChannelBindings | None:
    """Give what binds a handshake to the connection with this certificate (DER; b"": none)."""
    if not certificate:
        return None
    try:
        algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
        name = "sha256" if algorithm is None else algorithm.name
    except (ValueError, UnsupportedAlgorithm):
        name = "sha256"
    # RFC 5929, 4.1: in place of the broken ones SHA-256 is taken.
    digest = new("sha256" if name in ("md5", "sha1") else name, certificate).digest()
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest)
