"""The Exchange of the benchmarks: a simulator in a process of its own, its CPU not counted."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from keepstep_simulator import Simulator, SimulatorThread


def main() -> None:
    """Serve seeded calendars until standard input ends; first print where, as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mailboxes", type=int, required=True)
    parser.add_argument("--items", type=int, required=True)
    given = parser.parse_args()
    now = datetime.now(UTC)
    simulator = Simulator(clock=lambda: now, seed=1, log_limit=100)
    # As Exchange does; of a server that does not, empty bodies are asked for once more.
    simulator.front_end = "EX01"
    if given.items:
        simulator.seed_calendars(given.mailboxes, items_each=given.items)
    else:
        for number in range(given.mailboxes):
            simulator.add_mailbox(f"operator{number}@example.com")
    with SimulatorThread(simulator) as running:
        emails = [each.email for each in simulator.mailboxes.values()]
        print(json.dumps({"url": running.url, "emails": emails}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
