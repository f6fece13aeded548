"""Inviting people by e-mail, where that can be done."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from keepstep.core.errors import UsageError
from keepstep.notices.post import server_of
from keepstep.store import account_mails
from keepstep.store.models import Account
from keepstep.store.settings import load


def require_sendable(site: str = "") -> None:
    """Raise UsageError that says why no e-mail with a link can be sent, if so.

    `site` is what links begin with where the setting `site_url` says nothing.
    """
    settings = load(with_secrets=False)
    server_of(settings)
    if not (settings.site_url or site):
        raise UsageError(
            "it is not known where people reach the pages: keepstep settings set site_url=…"
        )


def send_invitations(accounts: Iterable[Account], site: str = "") -> None:
    """Have an invitation sent to each account, by the next process that empties the outbox."""
    account_mails.put_invitations(accounts, site, datetime.now(UTC))
