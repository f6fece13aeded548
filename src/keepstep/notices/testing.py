"""A test e-mail: whether failure e-mails reach people."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from keepstep.core.errors import UsageError
from keepstep.notices.messages import TEST, words_for
from keepstep.notices.post import send, server_of
from keepstep.store.fields import read_email
from keepstep.store.settings import load


@dataclass(frozen=True, slots=True)
class Tested:
    """How it went: the mail server's address, for whom it was; `problem` "" if it took it."""

    server: str
    recipients: tuple[str, ...]
    problem: str


def send_test(address: str | None) -> Tested:
    """Send a test e-mail now, to the address or, for None, to those who hear of failures.

    Raises UsageError for an address that is none, where nobody is named, or without a mail server.
    """
    settings = load()
    recipients = settings.notify_sync_failure_to
    if address is not None:
        try:
            recipients = (read_email(address),)
        except ValueError as error:
            raise UsageError(f"ADDRESS {error}.") from None
    if not recipients:
        raise UsageError(
            "nobody gets failure e-mails: keepstep settings set notify_sync_failure_to=…"
        )
    server = server_of(settings)
    problem = send(server, words_for(TEST, ()), recipients, uuid4().hex)
    return Tested(server.address, recipients, problem)
