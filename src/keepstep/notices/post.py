"""Sending one e-mail through the mail server that the settings name."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from keepstep.core.errors import UsageError
from keepstep.notices.messages import Words
from keepstep.store.setting_rules import MailSecurity, is_loopback
from keepstep.store.settings import ApplicationSettings

SECONDS = 10
_PORTS = {MailSecurity.NONE: 25, MailSecurity.STARTTLS: 587, MailSecurity.TLS: 465}
_LONGEST_SAYING = 200


@dataclass(frozen=True, slots=True)
class MailServer:
    """How the mail server is reached. `username` "" is: no sign-in; `ca_file` "": the system's.

    `seconds` is how long it may take for each step.
    """

    host: str
    port: int
    security: MailSecurity
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    seconds: float = SECONDS

    @property
    def address(self) -> str:
        """Give host and port as a person reads them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def server_of(settings: ApplicationSettings) -> MailServer:
    """Give the mail server of the settings. Raises UsageError where it can't be used as set."""
    if not settings.smtp_host:
        raise UsageError("no mail server is set: keepstep settings set smtp_host=…")
    server = MailServer(
        settings.smtp_host,
        settings.smtp_port or _PORTS[settings.smtp_security],
        settings.smtp_security,
        settings.smtp_from or f"keepstep@{_this_machine()}",
        settings.smtp_username,
        settings.smtp_password,
        settings.ca_file,
    )
    plain = server.security is MailSecurity.NONE and not is_loopback(f"smtp://{server.address}")
    if server.username and plain:
        raise UsageError(
            "smtp_username is set, but with smtp_security=none its password could be read on the"
            " way: set smtp_security=starttls or tls."
        )
    return server


def send(server: MailServer, words: Words, recipients: Sequence[str], message_id: str) -> str:
    """Send it; blocks until it is done, or the server takes too long for a step.

    `message_id` is the part before the @. Gives "" if the mail server took the e-mail, else what
    went wrong, in one line.
    """
    message = EmailMultiAlternatives(
        words.subject,
        words.text,
        server.sender,
        list(recipients),
        headers={
            "Message-ID": f"<{message_id}@{server.sender.rpartition('@')[2]}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(words.html, "text/html")
    backend = _Backend(server)
    try:
        backend.open()
        backend.send_messages([message])
    except (OSError, ValueError) as error:  # every error of smtplib is an OSError
        return _problem(error, server)
    finally:
        # Once it took the e-mail, a server that fails to say good-bye must not get it again.
        with suppress(OSError):
            backend.close()
    return ""


class _Backend(EmailBackend):
    """Django's, with the private authority's certificate trusted beside the system's."""

    def __init__(self, server: MailServer) -> None:
        super().__init__(
            host=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.security is MailSecurity.STARTTLS,
            use_ssl=server.security is MailSecurity.TLS,
            timeout=server.seconds,
        )
        self._ca_file = server.ca_file

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._ca_file:
            context.load_verify_locations(cafile=self._ca_file)
        return context


def _problem(error: Exception, server: MailServer) -> str:
    # smtplib makes a disconnection of a time-out, too.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"{server.address} did not answer within {server.seconds:g} seconds"
    if isinstance(error, smtplib.SMTPException):
        return _refusal(error, server)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {server.address} is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS could be agreed on with {server.address}: check smtp_security and smtp_port"
    if isinstance(error, socket.gaierror):
        return f"the name {server.host} can't be found: check smtp_host"
    if isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError)):
        return f"ca_file can't be read: {error.strerror}"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens at {server.address}: check smtp_host and smtp_port"
    if isinstance(error, OSError):
        return f"{server.address} can't be reached: {error.strerror or type(error).__name__}"
    return f"the e-mail can't be written: {type(error).__name__}"


def _refusal(error: smtplib.SMTPException, server: MailServer) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        what = "refused smtp_username or smtp_password"
        return f"{server.address} {what}{_said(error.smtp_code, error.smtp_error)}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        needed = "a sign-in" if "AUTH" in str(error) else "STARTTLS"
        return f"{server.address} does not offer {needed}: check smtp_security and smtp_port"
    if isinstance(error, smtplib.SMTPSenderRefused):
        what = f"refused the sender {server.sender}"
        return f"{server.address} {what}{_said(error.smtp_code, error.smtp_error)}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()), (0, b""))
        return f"{server.address} refused every recipient{_said(code, said)}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return f"{server.address} broke off: check smtp_security and smtp_port"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{server.address} refused the e-mail{_said(error.smtp_code, error.smtp_error)}"
    return f"{server.address} refused the e-mail: {type(error).__name__}"


def _said(code: int, words: bytes | str) -> str:
    """Give what the server said, as it may stand in a message: short, on one line, harmless."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    line = "".join(each if each.isprintable() else " " for each in text[:_LONGEST_SAYING])
    return f": {code} {' '.join(line.split())}"


def _this_machine() -> str:
    name = socket.getfqdn()
    return name if name.isascii() and "." in name else "keepstep.invalid"
