"""Emptying the outbox: each e-mail that is due is sent, or tried again later.

An e-mail is claimed before it is sent and noted as sent afterwards. A process that is killed in
between sends it once more, under the same Message-ID.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from keepstep.core.errors import UsageError
from keepstep.notices.messages import Words, words_for, words_for_link
from keepstep.notices.post import send, server_of
from keepstep.store import account_mails, notices
from keepstep.store.notices import Outbox, WaitingMail
from keepstep.store.settings import ApplicationSettings
from keepstep.store.writer import Writer

log = logging.getLogger("keepstep.mail")

Result = TypeVar("Result")

NOT_SET_UP = "mail-not-set-up"
NOT_SENT = "mail-not-sent"


@dataclass(frozen=True, slots=True)
class MailTrouble:
    """Why failure e-mails do not go out: a code of the catalogue, and what is particular."""

    code: str
    message: str


def trouble(settings: ApplicationSettings, outbox: Outbox) -> MailTrouble | None:
    """Say why e-mails wait, or would; None where nothing is wrong, or nobody is to be told."""
    if not outbox.waiting and not settings.notify_sync_failure_to:
        return None
    count = f"{outbox.waiting} failure {'e-mail waits' if outbox.waiting == 1 else 'e-mails wait'}"
    try:
        server_of(settings)
    except UsageError as error:
        said = str(error)[0].upper() + str(error)[1:]
        return MailTrouble(NOT_SET_UP, f"{count}. {said}" if outbox.waiting else said)
    if outbox.waiting and outbox.problem:
        return MailTrouble(NOT_SENT, f"{count}: {outbox.problem}.")
    return None


async def deliver(
    writer: Writer, settings: ApplicationSettings, clock: Callable[[], datetime]
) -> int:
    """Send what is due until one can't be sent; give how many were. `clock` gives UTC.

    Without a mail server in the settings the e-mails wait, which is logged once for each.
    """
    if not await writer.call(notices.is_any_waiting):
        return 0
    given_up = await writer.call(notices.give_up_old, clock())
    if given_up:
        log.warning("%d e-mails given up, after waiting for days", given_up)
    try:
        server = server_of(settings)
    except UsageError as error:
        if await writer.call(notices.note_unsendable, str(error)):
            log.warning("e-mail not sent: %s", error, extra={"code": NOT_SET_UP})
        return 0
    sent = 0
    while mail := await writer.call(notices.claim, clock()):
        words = await writer.call(_words, mail, settings.site_url)
        if words is None:
            await writer.call(notices.drop, mail.id, clock())
            continue
        problem = await _in_a_thread(partial(send, server, words, mail.recipients, mail.message_id))
        if problem:
            await writer.call(notices.note_unsent, mail, problem, clock())
            if mail.attempts == 1:
                log.warning("e-mail not sent: %s", problem, extra={"kind": mail.kind})
            break
        await writer.call(notices.note_sent, mail.id, clock())
        log.info("e-mail sent", extra={"kind": mail.kind})
        sent += 1
    return sent


def _words(mail: WaitingMail, site_url: str) -> Words | None:
    """Give the words as they are now; None for an e-mail that has no purpose any more."""
    if mail.kind not in account_mails.KINDS:
        return words_for(mail.kind, mail.entries)
    site = site_url or mail.site
    link = account_mails.link_for_mail(mail.kind, mail.recipients[0], site) if site else ""
    return words_for_link(mail.kind, link) if link else None


async def _in_a_thread(function: Callable[[], Result]) -> Result:
    """Give what the function gives; its thread keeps no process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def tell(settle: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(lambda: None if done.cancelled() else settle())

    def run() -> None:
        try:
            result = function()
        except Exception as error:  # noqa: BLE001 - it is raised again where it is awaited
            tell(partial(done.set_exception, error))
        else:
            tell(partial(done.set_result, result))

    threading.Thread(target=run, name="keepstep-mail", daemon=True).start()
    return await done
