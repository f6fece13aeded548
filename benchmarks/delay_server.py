"""The Exchange of the delay benchmark: in a process of its own, changed on command."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from keepstep_simulator import Simulator, SimulatorThread


def main() -> None:
    """Obey lines of standard input: `change RATE SECONDS`, `clear`, `counts`; answer in JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mailboxes", type=int, required=True)
    given = parser.parse_args()
    simulator = Simulator(
        clock=lambda: datetime.now(UTC), seed=1, version="Exchange2016", log_limit=100
    )
    for number in range(given.mailboxes):
        simulator.add_mailbox(f"operator{number}@example.com")
    with SimulatorThread(simulator) as running:
        _say({"url": running.url, "emails": [each.email for each in simulator.mailboxes.values()]})
        for line in sys.stdin:
            word, *numbers = line.split()
            if word == "change":
                _say(_change(running, int(numbers[0]), int(numbers[1])))
            elif word == "clear":
                running.call(simulator.clear_counts)
                _say({})
            else:
                _say(dict(running.call(simulator.counts)))


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


def _say(found: object) -> None:
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
