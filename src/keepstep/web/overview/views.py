"""The health page: how far behind, what fails, what waits; for a newcomer, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from keepstep.core.roles import Role
from keepstep.store import overview
from keepstep.web.access import account_of, allow, methods
from keepstep.web.overview import charts

STATUSES = (
    ("in_step", gettext_noop("in step")),
    ("waiting", gettext_noop("waiting for the first round")),
    ("retrying", gettext_noop("retrying")),
    ("failed", gettext_noop("failed")),
    ("off", gettext_noop("switched off")),
)


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step of the set-up: its words, the address where to do it, whether it is done."""

    words: str
    why: str
    address: str
    done: bool


@allow(Role.ADMINISTRATOR, Role.AUDITOR)
@methods("GET")
def page(request: HttpRequest) -> HttpResponse:
    """Show the whole page."""
    return render(request, "overview/page.html", _context(request))


@allow(Role.ADMINISTRATOR, Role.AUDITOR)
@methods("GET")
def now(request: HttpRequest) -> HttpResponse:
    """Show what of the page changes by itself: it asks for this every few seconds."""
    return render(request, "overview/now.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    moment = datetime.now(UTC)
    whole = overview.overview(moment)
    may_change = account_of(request).role == Role.ADMINISTRATOR
    done = overview.set_up()
    return {
        "whole": whole,
        "statuses": [(key, _(words), whole.statuses[key]) for key, words in STATUSES],
        "behind": charts.line(overview.day_of_freshness(moment), moment),
        "changes": charts.bars(overview.day_of_changes(moment)),
        "width": charts.WIDTH,
        "height": charts.HEIGHT,
        "may_change": may_change,
        "set_up": done,
        "steps": _steps(done) if may_change and not done.complete else (),
    }


def _steps(done: overview.SetUp) -> list[NextStep]:
    return [
        NextStep(
            _("Enter the Exchange settings"),
            _("Where your Exchange is, and the account that Keepstep reads with."),
            "settings",
            done.settings,
        ),
        NextStep(
            _("Test the connection"),
            _("Step by step, up to the first thing that is wrong, with its remedy."),
            "connection",
            done.connection,
        ),
        NextStep(
            _("Bring in the operators"),
            _("From a file, many at once; or one by one."),
            "operators-import",
            done.operators,
        ),
        NextStep(
            _("Enable the job CalendarSynchronization"),
            _("From then on it runs on its schedule."),
            "jobs",
            done.job,
        ),
        NextStep(
            _("See the first calendar filled"),
            _("Within a minute or so after the job was enabled."),
            "calendar",
            done.first_round,
        ),
    ]
