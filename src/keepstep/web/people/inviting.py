"""Inviting people: some by their addresses, or all operators of an access group."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import ngettext

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.notices.invitations import require_sendable, send_invitations
from keepstep.store import accounts
from keepstep.store.account_search import groups_to_invite
from keepstep.store.models import Account
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.accounts.passwords import passwords_let_in
from keepstep.web.people.forms import GroupForm, InviteForm
from keepstep.web.site import site_for_mail


@administrators
@methods("GET", "POST")
def invite(request: HttpRequest) -> HttpResponse:
    """Invite some people by their addresses."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by, given = account_of(request).email, form.cleaned_data
        try:
            return _invited(request, accounts.invite(given["emails"], Role(given["role"]), by=by))
        except UsageError as error:
            form.add_error("emails", str(error))
    return _page(request, form, GroupForm(groups_to_invite()))


@administrators
@methods("POST")
def invite_group(request: HttpRequest) -> HttpResponse:
    """Invite all operators of an access group that have no account."""
    form = GroupForm(groups_to_invite(), request.POST)
    if form.is_valid():
        by, group = account_of(request).email, form.cleaned_data["group"]
        try:
            return _invited(request, accounts.invite_group(group, by=by))
        except UsageError as error:
            form.add_error("group", str(error))
    return _page(request, InviteForm(), form)


def _invited(request: HttpRequest, invited: Sequence[Account]) -> HttpResponse:
    count = len(invited)
    if request.POST.get("send") == "true" and can_send(request):
        send_invitations(invited, site_for_mail(request))
        words = ngettext(
            "%d person was invited; the e-mail is on its way.",
            "%d people were invited; the e-mails are on their way.",
            count,
        )
    else:
        words = ngettext(
            "%d person was invited: hand the link on.",
            "%d people were invited: hand the links on.",
            count,
        )
    messages.success(request, words % count)
    if count == 1:
        return HttpResponseRedirect(reverse("person", args=[invited[0].pk]))
    return HttpResponseRedirect(f"{reverse('people')}?state={accounts.State.INVITED}")


def can_send(request: HttpRequest) -> bool:
    """Say whether an e-mail with a link can be sent."""
    try:
        require_sendable(site_for_mail(request))
    except UsageError:
        return False
    return True


def _page(request: HttpRequest, form: InviteForm, group_form: GroupForm) -> HttpResponse:
    context = {
        "form": form,
        "group_form": group_form,
        "groups": bool(groups_to_invite()),
        "can_send": can_send(request),
        "passwords": passwords_let_in(),
    }
    wrong = form.is_bound or group_form.is_bound
    return render(request, "people/invite.html", context, status=422 if wrong else 200)
