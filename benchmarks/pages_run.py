"""A child: what one request of a page costs with 5,000 operators, and 50 operators' month."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import django

from benchmarks.harness import answer, given

OPERATORS, TEAM, SERIES, REQUESTS = 5000, 50, 40, 5


def main() -> None:
    """Fill the store, then ask for each page a few times; the first time does not count."""
    given()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    answer(_measure())


def _measure() -> dict[str, Any]:
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test import Client

    from keepstep.core.roles import Role
    from keepstep.store import accounts

    _fill()
    client = Client()
    administrator = accounts.create("admin@example.com", Role.ADMINISTRATOR)
    client.force_login(administrator, backend="django.contrib.auth.backends.ModelBackend")
    rows = "".join(f"person.{each}@example.com,Other {each}\n" for each in range(OPERATORS))
    file = SimpleUploadedFile("team.csv", ("email,name\n" + rows).encode())
    draft = client.post("/operators/import", {"file": file}).headers["Location"]
    client.post(draft, {"purpose": "add-or-update", "column-0": "email", "column-1": "name"})
    first = datetime.now(UTC).date().replace(day=1)
    month = f"start={first}&end={first + timedelta(days=31)}"
    return {
        "operators": _cost(client, "/operators/"),
        "search": _cost(client, "/operators/?text=person&order=-status"),
        "health": _cost(client, "/health/overview"),
        "preview": _cost(client, f"{draft}/preview"),
        "team month": _cost(client, f"/calendar/events?who=team:Team&{month}"),
    }


def _fill() -> None:
    import random

    from benchmarks.calendar_run import _series
    from keepstep.core.record import ALL
    from keepstep.store.bulk import insert_live
    from keepstep.store.models import Mailbox, Operator

    now, chance = datetime.now(UTC), random.Random(1)
    made = Operator.objects.bulk_create(
        Operator(
            email=f"person.{each}@example.com",
            name=f"Person {each}",
            access_group="Team" if each < TEAM else f"Group {each % 40}",
            calendar_sync=True,
            time_zone="Europe/Berlin",
        )
        for each in range(OPERATORS)
    )
    mailboxes = Mailbox.objects.bulk_create(
        Mailbox(operator=each, last_success=now) for each in made
    )
    for mailbox in mailboxes[:TEAM]:
        series = [(_series(chance, number), ALL) for number in range(SERIES)]
        insert_live(series, mailbox.pk, 1, now)


def _cost(client: Any, address: str) -> float:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    assert re.search(rb"person|subject|in step", response.content), address
    begun = process_time()
    for _ in range(REQUESTS):
        client.get(address)
    return (process_time() - begun) / REQUESTS


if __name__ == "__main__":
    main()
