"""A child: the product synchronizes; CPU of a first round, then of idle rounds as asked."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from typing import Any

import django

from benchmarks.harness import answer, cpu_seconds, given


def main() -> None:
    """Measure whole runs as the scheduler does them: see what is due, take, poll, note."""
    asked = given()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    _set_up(asked)
    asyncio.run(_run())


def _set_up(asked: dict[str, Any]) -> None:
    from keepstep.store import operators, settings

    settings.change(
        {
            "calendar_integration": "on",
            "exchange_url": asked["url"],
            "exchange_version": "Exchange2016",
            "username": "svc",
            "password": "secret",
            "batch_size": "512",
            "private_appointments": "full",
        }
    )
    for email in asked["emails"]:
        operators.add(email, {"calendar_sync": "true", "time_zone": "Europe/Berlin"})


async def _run() -> None:
    from keepstep.store import settings
    from keepstep.store.writer import Writer
    from keepstep.sync.service import manner_of, means_for

    loaded = settings.load()
    async with Writer() as writer, means_for(loaded, writer) as means:
        begun = cpu_seconds()
        first = await poll_due(means, manner_of(loaded), "first")
        spent = cpu_seconds() - begun
        assert first.failed == 0, first.failures
        answer(
            {
                "items": first.created + first.skipped,
                "cpu": spent,
                "history_cpu": _history_again(),
            }
        )
        while line := await asyncio.to_thread(sys.stdin.readline):
            answer(await idle_rounds(means, manner_of(loaded), json.loads(line)["rounds"]))


async def poll_due(means: Any, manner: Any, job: str) -> Any:
    """Run once over the mailboxes that are due, as a tick of the scheduler does."""
    from keepstep.store import runs
    from keepstep.sync.service import current_policy, run_over

    hour = timedelta(hours=1)
    ids = await means.writer.call(runs.due_mailboxes, runs.SYSTEM, means.clock(), safety_poll=hour)
    return await run_over(means, manner, ids, job=job, trigger="bench", policy=current_policy)


async def idle_rounds(means: Any, manner: Any, rounds: int) -> dict[str, Any]:
    """Give the CPU seconds of so many idle rounds of all mailboxes, and how many polls it were."""
    begun, polls = cpu_seconds(), 0
    for _ in range(rounds):
        idle = await poll_due(means, manner, "idle")
        assert idle.failed == 0, idle.failures
        assert idle.requests == idle.mailboxes > 0, idle
        polls += idle.mailboxes
    return {"cpu": cpu_seconds() - begun, "polls": polls}


def _history_again() -> float:
    """Give the CPU that writing the history of the first round took, by writing it again."""
    from django.db import transaction

    from keepstep.store.bulk import insert_history
    from keepstep.store.models import History

    columns = ("mailbox_id", "uid", "item_id", "at", "what", "rule")
    rows = list(History.objects.values_list(*columns))
    last = History.objects.order_by("-pk").values_list("pk", flat=True)[0] if rows else 0
    begun = cpu_seconds()
    with transaction.atomic():
        insert_history(rows)
    spent = cpu_seconds() - begun
    History.objects.filter(pk__gt=last).delete()
    return spent


if __name__ == "__main__":
    main()
