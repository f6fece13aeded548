"""The Exchange of the delay benchmark: in a process of its own, changed on command."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from benchmarks.harness import answer, further
from keepstep_simulator import Simulator, SimulatorThread


def main() -> None:
    """Obey what is asked: to change so many a second for so long, to `clear`, for `counts`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mailboxes", type=int, required=True)
    given = parser.parse_args()
    simulator = Simulator(
        clock=lambda: datetime.now(UTC), seed=1, version="Exchange2016", log_limit=100
    )
    for number in range(given.mailboxes):
        simulator.add_mailbox(f"operator{number}@example.com")
    with SimulatorThread(simulator) as running:
        answer(
            {"url": running.url, "emails": [each.email for each in simulator.mailboxes.values()]}
        )
        for words in further():
            if "change" in words:
                answer(_change(running, *words["change"]))
            elif "clear" in words:
                running.call(simulator.clear_counts)
                answer({})
            else:
                answer(dict(running.call(simulator.counts)))


def _change(running: SimulatorThread, rate: int, seconds: int) -> dict[str, float]:
    """Make appointments, evenly over time, in mailboxes by chance; give when, by item id."""
    random, made = Random(1), {}
    mailboxes = list(running.simulator.mailboxes.values())
    begun = time.monotonic()
    for number in range(rate * seconds):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        mailbox = random.choice(mailboxes)
        start = datetime.now(UTC) + timedelta(days=1)
        fields: dict[str, Any] = {"subject": f"Change {number}", "start": start}
        fields["end"] = start + timedelta(hours=1)
        item_id = running.call(lambda box=mailbox, given=fields: box.create(**given))  # type: ignore[misc]
        made[item_id] = time.time()
    return made


if __name__ == "__main__":
    main()
