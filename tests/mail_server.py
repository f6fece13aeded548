"""A real SMTP server for tests: what it took, and how it refuses."""

from __future__ import annotations

import socket
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session


class MailServer:
    """A context manager; `mails` are those it took, whole, in order.

    `refusal` is answered to every e-mail, in place of taking it, while it is set.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        password: str = "",
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.refusal = ""
        self.port = port or free_port()
        self._password = password
        self._tls = tls
        self._starttls = starttls
        self._controller: Controller | None = None

    async def handle_DATA(self, _: Any, __: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusal:
            return self.refusal
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append(envelope)
        return "250 taken"

    def _authenticate(self, *given: Any) -> AuthResult:
        pair = given[-1]
        right = isinstance(pair, LoginPassword) and pair.password.decode() == self._password
        return AuthResult(success=right, handled=False)

    def __enter__(self) -> MailServer:
        signed_in: dict[str, Any] = {}
        if self._password:
            signed_in = {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": False,
            }
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=self._tls,
            tls_context=self._starttls,
            **signed_in,
        )
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._controller is not None
        self._controller.stop()


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Give the text and the HTML part."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return str(text.get_content()), str(html.get_content())
