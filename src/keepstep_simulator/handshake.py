"""NTLM and Negotiate at the server's end, by pyspnego: a handshake signs in a connection."""

import base64
import binascii
import os
import tempfile
import threading
from hashlib import sha256
from pathlib import Path

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from keepstep_simulator.accounts import Accounts

# The acceptor finds its accounts by an environment variable, so one at a time may look.
_ONE_AT_A_TIME = threading.Lock()
_FIRST_LEGS = (b"NTLMSSP\0\1", b"\x60")
_PURE_PYTHON = {
    "NTLM": spnego.NegotiateOptions.use_ntlm,
    "Negotiate": spnego.NegotiateOptions.use_negotiate,
}


class Handshake:
    """The sign-in of one connection; ``user`` is None until it is done.

    ``certificate`` is that of the server's end of the connection, in DER: where it is given, the
    client has to bind itself to it (Extended Protection).
    """

    def __init__(self, accounts: Accounts, certificate: bytes = b"") -> None:
        """Take the accounts, and the certificate to bind to, if one must."""
        self._accounts = accounts
        self._bindings = _bindings(certificate)
        self._context: spnego.ContextProxy | None = None
        self.user: str | None = None

    def step(self, authorization: str) -> str | None:
        """Take the next leg; give WWW-Authenticate of the 401 to send, None if none is needed."""
        scheme, _, told = authorization.partition(" ")
        name = {"ntlm": "NTLM", "negotiate": "Negotiate"}.get(scheme.lower(), "")
        if name not in self._accounts.schemes:
            return None
        self.user = None
        try:
            token = self._answer(name, base64.b64decode(told, validate=True))
        except (SpnegoError, binascii.Error, ValueError, LookupError):
            self._context = None
            return self._accounts.challenge
        if self.user is not None:
            return None
        return f"{name} {base64.b64encode(token or b'').decode()}"

    def _answer(self, name: str, token: bytes) -> bytes | None:
        with _ONE_AT_A_TIME, tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "accounts")
            file.write_text(_lines(self._accounts), encoding="utf-8")
            os.environ["NTLM_USER_FILE"] = str(file)
            try:
                if self._context is None or token.startswith(_FIRST_LEGS):
                    self._context = spnego.server(protocol=name.lower(), options=_PURE_PYTHON[name])
                told = self._context.step(token, channel_bindings=self._bindings)
            finally:
                del os.environ["NTLM_USER_FILE"]
        if self._context.complete:
            self.user = self._context.client_principal or self._accounts.username
            self._context = None
        return told


def _lines(accounts: Accounts) -> str:
    domain, _, user = accounts.username.rpartition("\\")
    return f"{domain}:{user}:{accounts.password}\n"


def _bindings(certificate: bytes) -> GssChannelBindings | None:
    if not certificate:
        return None
    digest = sha256(certificate).digest()
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest)
