"""A child: the product synchronizes; CPU of a first round, and of idle rounds after it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django

from benchmarks.harness import answer, cpu_seconds, given


def main() -> None:
    """Measure whole runs as the scheduler does them: take, poll, note."""
    asked = given()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    answer(_measure(asked))


def _measure(asked: dict[str, Any]) -> dict[str, Any]:
    import asyncio

    from keepstep.store import operators, runs, settings
    from keepstep.store.writer import Writer
    from keepstep.sync.service import manner_of, means_for, run_over

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
    loaded = settings.load()

    async def run() -> dict[str, Any]:
        async with Writer() as writer, means_for(loaded, writer) as means:
            manner = manner_of(loaded)
            ids = runs.mailboxes_of(None)
            begun = cpu_seconds()
            first = await run_over(means, manner, ids, job="first", trigger="bench")
            first_cpu = cpu_seconds() - begun
            assert first.failed == 0, first.failures
            begun = cpu_seconds()
            for _ in range(asked["idle_rounds"]):
                idle = await run_over(means, manner, ids, job="idle", trigger="bench")
                assert idle.failed == 0, idle.failures
                assert idle.requests == len(ids), idle
            idle_cpu = cpu_seconds() - begun
        return {
            "items": first.created + first.skipped,
            "first_cpu": first_cpu,
            "history_cpu": _history_again(means.clock()),
            "polls": asked["idle_rounds"] * len(ids),
            "idle_cpu": idle_cpu,
        }

    import os

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    return asyncio.run(run())


def _history_again(at: datetime) -> float:
    """Give the CPU that writing the history of the first round took, by writing it again."""
    from django.db import transaction

    from keepstep.store.bulk import insert_history
    from keepstep.store.models import History

    columns = ("mailbox_id", "uid", "item_id", "at", "what", "rule")
    rows = list(History.objects.values_list(*columns))
    begun = cpu_seconds()
    with transaction.atomic():
        insert_history(rows)
    return cpu_seconds() - begun


if __name__ == "__main__":
    main()
