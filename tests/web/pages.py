"""Every page there is: by whom it is opened, and its address."""

from __future__ import annotations

from tests.web import team
from tests.web.site import ADMINISTRATOR, AUDITOR, OPERATOR

OF_ADMINISTRATORS = {
    "health": "/health/overview",
    "calendar-week": f"/calendar/?who=team:{team.WEST}&view=week",
    "calendar-month": f"/calendar/?who=operator:{team.ANNA.email}&view=month",
    "calendar-agenda": f"/calendar/?who=operator:{team.ANNA.email}&view=agenda",
    "calendar-subscribe": f"/calendar/subscribe/?who=team:{team.WEST}",
    "calendar-export": f"/calendar/export?who=team:{team.WEST}",
    "operators": "/operators/",
    "operator": f"/operators/of/{team.MAYA.email}",
    "operator-failing": f"/operators/of/{team.UNKNOWN.email}",
    "operator-edit": f"/operators/of/{team.ANNA.email}/edit",
    "operator-explain": f"/operators/of/{team.ANNA.email}/explain?uid=unknown",
    "operator-new": "/operators/new",
    "import": "/operators/import",
    "jobs": "/jobs/",
    "job": "/jobs/job/CalendarSynchronization",
    "job-new": "/jobs/new",
    "runs": "/jobs/runs",
    "run": "/jobs/runs/1",
    "settings": "/settings/",
    "settings-connection": "/settings/connection",
    "settings-appointments": "/settings/appointments",
    "settings-mail": "/settings/mail",
    "settings-single-sign-on": "/settings/single-sign-on",
    "settings-limits": "/settings/limits",
    "settings-changes": "/settings/changes",
    "settings-webhooks": "/settings/webhooks",
    "settings-webhook": "/settings/webhooks/1",
    "people": "/people/",
    "account": "/account",
    "account-tokens": "/account/tokens",
    "not-found": "/nothing/here",
}
OF_OPERATORS = {
    "my-calendar": "/calendar/",
    "my-subscription": "/calendar/subscribe/",
    "my-export": "/calendar/export",
    "refused": "/settings/",
}
OF_AUDITORS = {"health-of-auditors": "/health/overview"}
OF_NOBODY = {"sign-in": "/sign-in", "reset": "/reset", "expired": "/enter/nothing"}

ALL: dict[str, dict[str, str]] = {
    "": OF_NOBODY,
    ADMINISTRATOR: OF_ADMINISTRATORS,
    OPERATOR: OF_OPERATORS,
    AUDITOR: OF_AUDITORS,
}
