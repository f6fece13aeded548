"""E-mails to those who sign in: an invitation, or a link to set a new password.

What waits in the outbox has no link and no secret: the link is made when the e-mail is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.utils.crypto import salted_hmac

from keepstep.store.links import Purpose, link_of, sign_in_page
from keepstep.store.models import Account, Mail
from keepstep.store.settings import load

INVITATION = "invitation"
RESET = "reset"
KINDS = frozenset({INVITATION, RESET})
WITHIN = timedelta(hours=1)
AT_MOST = 3


def put_invitations(accounts: Iterable[Account], site: str, now: datetime) -> None:
    """Put an invitation into the outbox for each account.

    `site` is what links begin with where the setting `site_url` says nothing.
    """
    Mail.objects.bulk_create(
        [_mail(INVITATION, each, site, now) for each in accounts], batch_size=500
    )


def ask_reset(email: str, site: str, now: datetime) -> bool:
    """Put an e-mail into the outbox by which somebody sets a new password; say whether it was.

    It is not for an address that is unknown or switched off, nor more than a few times an hour.
    """
    account = Account.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if account is None:
        return False
    with transaction.atomic():
        asked = Mail.objects.filter(message_id__startswith=_mark(RESET, account))
        if asked.filter(created__gt=now - WITHIN).count() >= AT_MOST:
            return False
        _mail(RESET, account, site, now).save()
    return True


def link_for_mail(kind: str, recipient: str, site: str) -> str:
    """Give the link that an e-mail of this kind has; "" where it has no purpose any more.

    That is so for an account that is gone or switched off, and for an invitation whose link was
    handed on another way and used. Where passwords are off it is the sign-in page, and nobody
    needs a new password.
    """
    account = Account.objects.filter(email__iexact=recipient, is_active=True).first()
    if account is None:
        return ""
    if not load(with_secrets=False).sso_passwords:
        return sign_in_page(site) if kind == INVITATION else ""
    if kind == INVITATION and account.has_usable_password():
        return ""
    return link_of(account, Purpose(kind), site)


def _mail(kind: str, account: Account, site: str, now: datetime) -> Mail:
    return Mail(
        kind=kind,
        message_id=f"{_mark(kind, account)}.{uuid4().hex}",
        recipients=[account.email],
        entries=[{"site": site}],
        created=now,
        next_attempt=now,
    )


def _mark(kind: str, account: Account) -> str:
    """Give what the e-mails of one kind to one account have in common, which tells nothing else."""
    text = f"{kind}:{account.email.lower()}"
    return salted_hmac("keepstep.mail", text, algorithm="sha256").hexdigest()[:16]
