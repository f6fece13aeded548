"""`python -m tests.web.this_week` fills this week of the data directory KEEPSTEP_HOME.

It has Anna already; her week and that of two of her access group become as `calendars.showcase`
has it, all in step two minutes ago.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from keepstep.cli.database import start_django

MINUTES_AGO = 2


def fill() -> None:
    """Fill the calendars, and switch the calendar integration on."""
    start_django()
    from keepstep.store import operators, settings
    from keepstep.store.models import Mailbox
    from tests.web import calendars

    anna = operators.find("anna@example.com")
    operators.switch([anna.email], on=True)
    today = datetime.now(UTC).astimezone(ZoneInfo("Europe/Berlin")).date()
    calendars.showcase(anna, today - timedelta(days=today.weekday()))
    calendars.add_operator("dora@example.com", "Dora Dunn", "East")
    Mailbox.objects.update(last_success=datetime.now(UTC) - timedelta(minutes=MINUTES_AGO))
    exchange = "https://mail.example.com/EWS/Exchange.asmx"
    account = {"exchange_url": exchange, "username": "keepstep", "password": "secret"}
    settings.change({"calendar_integration": "on", **account})


if __name__ == "__main__":
    fill()
