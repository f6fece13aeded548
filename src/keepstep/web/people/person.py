"""One person who may sign in: the role, on or off, a new link, deleting the account."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.notices.invitations import send_invitations
from keepstep.store import accounts, audit, single_sign_on
from keepstep.store.models import Account
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.accounts.passwords import check_passwords, passwords_let_in
from keepstep.web.people.forms import RoleForm
from keepstep.web.people.inviting import can_send
from keepstep.web.people.listing import shown
from keepstep.web.site import link_to, site_for_mail


@administrators
@methods("GET")
def person(request: HttpRequest, account: int) -> HttpResponse:
    """Show an account; with the link for one who was invited and did not sign in yet."""
    found = _find(account)
    invited = accounts.state(found) is accounts.State.INVITED
    return _page(request, found, link_to(request, found) if invited else "")


@administrators
@methods("POST")
def link(request: HttpRequest, account: int) -> HttpResponse:
    """Show a link by which somebody sets a new password: once, in this answer alone."""
    check_passwords()
    found = _find(account)
    try:
        accounts.note_link(found, by=account_of(request).email)
    except UsageError as error:
        messages.error(request, str(error))
        return _back(found)
    return _page(request, found, link_to(request, found))


@administrators
@methods("POST")
def send(request: HttpRequest, account: int) -> HttpResponse:
    """Send the invitation again."""
    found = _find(account)
    if can_send(request):
        send_invitations([found], site_for_mail(request))
        messages.success(request, _("The e-mail is on its way."))
    return _back(found)


@administrators
@methods("POST")
def role(request: HttpRequest, account: int) -> HttpResponse:
    """Give somebody another role."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("There is no such role."))
        return _back(_find(account))
    new, by = Role(form.cleaned_data["role"]), account_of(request).email
    return _change(
        request,
        account,
        lambda found: accounts.change_role(found, new, by=by),
        _("The role was changed."),
    )


@administrators
@methods("POST")
def switch(request: HttpRequest, account: int) -> HttpResponse:
    """Let somebody sign in, or no longer."""
    on, by = request.POST.get("on") == "true", account_of(request).email
    words = _("The account is on again.") if on else _("The account is off.")
    return _change(request, account, lambda found: accounts.switch(found, on=on, by=by), words)


@administrators
@methods("POST")
def unlink(request: HttpRequest, account: int) -> HttpResponse:
    """Forget who somebody is at the sign-in service."""
    by = account_of(request).email
    return _change(
        request,
        account,
        lambda found: single_sign_on.unlink(found, by=by),
        _("The account is linked to nobody at the sign-in service any more."),
    )


@administrators
@methods("POST")
def delete(request: HttpRequest, account: int) -> HttpResponse:
    """Delete an account."""
    found = _find(account)
    email = found.email
    try:
        accounts.delete(found, by=account_of(request).email)
    except UsageError as error:
        messages.error(request, str(error))
        return _back(found)
    messages.success(request, _("The account of %s was deleted.") % email)
    return HttpResponseRedirect(reverse("people"))


def _change(
    request: HttpRequest, account: int, change: Callable[[Account], object], words: str
) -> HttpResponse:
    found = _find(account)
    try:
        change(found)
    except UsageError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, words)
    return _back(found)


def _find(account: int) -> Account:
    found = Account.objects.select_related("operator").filter(pk=account).first()
    if found is None:
        raise Http404
    return found


def _back(account: Account) -> HttpResponse:
    return HttpResponseRedirect(reverse("person", args=[account.pk]))


def _page(request: HttpRequest, found: Account, one_time_link: str) -> HttpResponse:
    changes = audit.listing(subject=found.email)
    context = {
        "person": shown(found),
        "role_form": RoleForm(initial={"role": found.role}),
        "link": one_time_link,
        "invited": accounts.state(found) is accounts.State.INVITED,
        "can_send": can_send(request),
        "passwords": passwords_let_in(),
        "identities": found.identities.order_by("issuer"),
        "myself": found.pk == account_of(request).pk,
        "changes": [each for each in changes if each.action.startswith("account.")][:10],
    }
    return render(request, "people/person.html", context)
