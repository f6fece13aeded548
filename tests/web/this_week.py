"""`python -m tests.web.this_week` fills this week of the data directory KEEPSTEP_HOME.

It has Anna already; her week and that of two of her access group become as `calendars.showcase`
has it, all in step two minutes ago. Dora, of another one, has more today than a month can show.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from keepstep.cli.database import start_django

MINUTES_AGO = 2
CROWD = 45


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
    dora = calendars.add_operator("dora@example.com", "Dora Dunn", "East")
    noon = datetime(today.year, today.month, today.day, 11, tzinfo=UTC)
    for number in range(CROWD):
        calendars.put(dora, calendars.single(f"Call {number}", noon, timedelta(minutes=15)))
    Mailbox.objects.update(last_success=datetime.now(UTC) - timedelta(minutes=MINUTES_AGO))
    exchange = "https://mail.example.com/EWS/Exchange.asmx"
    account = {"exchange_url": exchange, "username": "keepstep", "password": "secret"}
    settings.change({"calendar_integration": "on", **account})


if __name__ == "__main__":
    fill()
