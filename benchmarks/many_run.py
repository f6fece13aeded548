"""A child: idle rounds over all mailboxes of a home that was filled before; CPU as asked."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import django

from benchmarks.harness import answer, given


def main() -> None:
    """Measure rounds until nothing more is asked."""
    given()
    django.setup()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    asyncio.run(_run())


async def _run() -> None:
    from benchmarks.keepstep_run import idle_rounds
    from keepstep.store import settings
    from keepstep.store.writer import Writer
    from keepstep.sync.service import manner_of, means_for

    loaded = settings.load()
    async with Writer() as writer, means_for(loaded, writer) as means:
        answer({})
        while line := await asyncio.to_thread(sys.stdin.readline):
            answer(await idle_rounds(means, manner_of(loaded), json.loads(line)["rounds"]))


if __name__ == "__main__":
    main()
