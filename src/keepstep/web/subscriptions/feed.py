"""What other programs read: a calendar as iCalendar, at an address that is a secret."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from math import ceil
from time import monotonic

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page

from keepstep.store import calendar_addresses
from keepstep.store.models import Account, CalendarAddress
from keepstep.web.access import methods, public
from keepstep.web.subscriptions.allowance import Allowance

CONTENT_TYPE = "text/calendar; charset=utf-8"
# The making of a large calendar takes all of a core for seconds.
MADE_AT_ONCE = 2
WAIT_FOR_A_PLACE = 20.0
# Seconds that a reading counts for at least, however little it took.
LEAST_COST = 0.2
_SECONDS_TO_COME_AGAIN = 30

allowance = Allowance()
_places = threading.BoundedSemaphore(MADE_AT_ONCE)


@public
@methods("GET")
@gzip_page
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Answer with the calendar that the token is for; 304 to one who has it as it is."""
    address = calendar_addresses.find(token)
    if address is None:
        return _plain("There is no calendar at this address, or not any more.", 404)
    wait = allowance.wait(address.pk)
    if wait:
        return _busy("This address is read too often.", 429, ceil(wait))
    if not _places.acquire(timeout=WAIT_FOR_A_PLACE):
        return _busy("Many calendars are being read.", 503, _SECONDS_TO_COME_AGAIN)
    begun = monotonic()
    try:
        with translation.override(_language(address)):
            return _answer(request, address, datetime.now(UTC))
    finally:
        _places.release()
        allowance.spend(address.pk, max(monotonic() - begun, LEAST_COST))


def _answer(request: HttpRequest, address: CalendarAddress, now: datetime) -> HttpResponse:
    # A tenth of a second of imports, that no other page needs.
    from keepstep.feeds.event_text import Texts
    from keepstep.feeds.subscription import Subscription

    texts = Texts(_("Private appointment"), _("(no subject)"), _("Join the meeting"))
    subscription = Subscription.of(address, texts, now)
    etag = subscription.etag()
    changed_at = calendar_addresses.note_read(address, etag, now)
    seconds = int(changed_at.timestamp())
    known = get_conditional_response(request, quote_etag(etag), seconds)
    if known is not None and known.status_code == 304:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(subscription.content(), content_type=CONTENT_TYPE)
        response.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    response.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
    response.headers["ETag"] = quote_etag(etag)
    response.headers["Last-Modified"] = http_date(seconds)
    return _private(response)


def _language(address: CalendarAddress) -> str:
    """Give the language of the account whose calendar it is: the reader is a program."""
    account = Account.objects.filter(operator=address.operator).first()
    chosen = account.language if account is not None and address.operator is not None else ""
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _plain(words: str, status: int) -> HttpResponse:
    return _private(HttpResponse(words + "\n", content_type="text/plain", status=status))


def _busy(words: str, status: int, seconds: int) -> HttpResponse:
    response = _plain(words, status)
    response.headers["Retry-After"] = str(seconds)
    return response


def _private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
