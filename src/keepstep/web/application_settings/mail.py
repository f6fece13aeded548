"""The test e-mail."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from keepstep.core.errors import UsageError
from keepstep.notices.testing import send_test
from keepstep.web.access import administrators, methods


@administrators
@methods("POST")
def test(request: HttpRequest) -> HttpResponse:
    """Send a test e-mail now, to the address entered or to those who hear of failures."""
    try:
        sent = send_test(request.POST.get("address", "").strip() or None)
    except UsageError as error:
        messages.error(request, str(error))
    else:
        if sent.problem:
            messages.error(request, _("The test e-mail was not sent: %s.") % sent.problem)
        else:
            told = ", ".join(sent.recipients)
            messages.success(request, _("The mail server took a test e-mail for %s.") % told)
    return HttpResponseRedirect(reverse("settings-mail"))
