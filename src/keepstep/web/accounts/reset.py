"""Asking for a new password: whoever asks gets the same answer, known or not, and as quickly."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from threading import BoundedSemaphore, Thread
from typing import Any

from django import forms
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from keepstep.core.errors import UsageError
from keepstep.notices.invitations import require_sendable
from keepstep.store import account_mails
from keepstep.web.access import methods, public
from keepstep.web.accounts.passwords import check_passwords
from keepstep.web.site import site_for_mail

log = logging.getLogger("keepstep.web")

# Looking the address up and writing the e-mail down takes longer for one that is known: that is
# done beside the answer, for so many at once at most.
AT_ONCE = 20
THREAD = "keepstep-reset"
_places = BoundedSemaphore(AT_ONCE)


class AddressForm(forms.Form):
    """The e-mail address that somebody signs in with."""

    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


@public
@methods("GET", "POST")
def ask(request: HttpRequest) -> HttpResponse:
    """Have a link sent to whoever forgot the password; say neither whether nor to whom."""
    check_passwords()
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        send_later(form.cleaned_data["email"], site_for_mail(request))
        return render(request, "accounts/reset_sent.html")
    context: dict[str, Any] = {"form": form, "possible": _is_possible(site_for_mail(request))}
    return render(request, "accounts/reset.html", context, status=422 if form.is_bound else 200)


def send_later(email: str, site: str) -> None:
    """Have the e-mail written down soon, if there is to be one."""
    if not _places.acquire(blocking=False):
        log.warning("too many ask for a new password at once: one was not heard")
        return
    Thread(target=_send, args=(email, site), name=THREAD, daemon=True).start()


def _send(email: str, site: str) -> None:
    try:
        require_sendable(site)
        if account_mails.ask_reset(email, site, datetime.now(UTC)):
            log.info("a new password was asked for")
    except UsageError as error:
        log.warning("a new password was asked for, but no e-mail can be sent: %s", error)
    except Exception:
        log.exception("an e-mail for a new password could not be written down")
    finally:
        connection.close()
        _places.release()


def _is_possible(site: str) -> bool:
    try:
        require_sendable(site)
    except UsageError:
        return False
    return True
