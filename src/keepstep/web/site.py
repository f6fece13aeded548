"""Where people reach the pages: what links in e-mails begin with."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest

from keepstep.store.links import link_of, sign_in_page, way_in
from keepstep.store.models import Account
from keepstep.store.setting_rules import is_loopback
from keepstep.store.settings import load


def link_to(request: HttpRequest, account: Account) -> str:
    """Give a link for the one who asks to hand on: by the setting `site_url`, else as they came.

    It is a one-time address at which a password is set; where passwords are off that of the
    sign-in page. Whoever asks could write any host into the request; it deceives nobody but
    themselves.
    """
    settings = load(with_secrets=False)
    site = settings.site_url or request.build_absolute_uri("/")
    if settings.sso_passwords:
        return link_of(account, way_in(account), site)
    return sign_in_page(site)


def site_for_mail(request: HttpRequest) -> str:
    """Give what links in an e-mail to others begin with; "" where that is not known for certain.

    The host of a request is believed only if it is this machine's own, and so is the browser's
    (RFC 9110, 17.1: a request can name any).
    """
    site = load(with_secrets=False).site_url
    if site:
        return site.rstrip("/")
    came = request.build_absolute_uri("/")
    browser = f"http://{_bracketed(request.META.get('REMOTE_ADDR', ''))}/"
    ours = urlsplit(came).hostname and is_loopback(came) and is_loopback(browser)
    return came.rstrip("/") if ours else ""


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
