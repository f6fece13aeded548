"""Autodiscover with the settings as they are: the account, the way out, who may be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace

from keepstep.core.errors import UsageError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.autodiscover import Discovery, discover
from keepstep.exchange.ews.connect import Access, transport_of
from keepstep.store.fields import read_email
from keepstep.store.setting_rules import SignIn
from keepstep.store.settings import load, needed
from keepstep.sync.service import access_of

_ANSWER_SECONDS = 20


def find_url(email: str, *, accepted: Collection[str], server: str) -> Discovery:
    """Search for the Exchange URL of an address, signed in as the service account.

    Raises UsageError for an address that is none, and where the account is not set.
    """
    try:
        address = read_email(email)
    except ValueError as error:
        raise UsageError(f"EMAIL {error}.") from None
    settings = load()
    wanted = [name for name in needed(settings.auth) if name != "exchange_url"]
    missing = [name for name in wanted if not getattr(settings, name)]
    if missing:
        raise UsageError(f"not set: {', '.join(missing)}. It is needed to sign in.")
    if settings.auth is SignIn.OAUTH:
        raise UsageError("auth=oauth: a token is for one server, so none can be searched for.")
    access = replace(access_of(settings), timeout_seconds=_ANSWER_SECONDS)

    async def post(url: str, body: bytes) -> RawAnswer:
        return await _post(replace(access, url=url), body)

    return asyncio.run(discover(address, post, accepted=accepted, server=server))


async def _post(access: Access, body: bytes) -> RawAnswer:
    transport = transport_of(access)
    try:
        return await transport.post(body, {})
    finally:
        await transport.close()
