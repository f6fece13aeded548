"""How late the minute's polls are while large calendars are read for the first time.

`keepstep serve` on SQLite polls thousands of idle mailboxes every minute; then some whose calendars
hold very many items are enabled. How late a poll is, the canned Exchange says: it notes when each
came, and a tick is due at the full minute. Being canned, it is never what is slow.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from benchmarks.canned import FULL, canned
from benchmarks.figure import Figure, Goal
from benchmarks.harness import MINUTE, Ask, cpu_of, next_tick, sleep_until, wait_for
from benchmarks.installation import Installation, free_address

# It is looked so many seconds before a tick what has come since the last.
LOOK_BEFORE = 5
MOST_TICKS = 8


@dataclass(slots=True)
class _Seen:
    """Seconds that polls were late, sorted; ticks watched; CPU seconds of the product's, ours."""

    late: list[float] = field(default_factory=list)
    ticks: int = 0
    cpu: float = 0
    canned_cpu: float = 0
    read: int = 0

    def within(self, share: float) -> float:
        return self.late[ceil(share * len(self.late)) - 1]


def lateness(
    polls: Mapping[str, Sequence[float]], ticks: Sequence[float], end: float
) -> list[float]:
    """Give for each mailbox and tick how many seconds after the tick it was polled, sorted.

    One that was left out at a tick, being at work still, is as late as its next poll; one that
    was not polled any more until `end` is at least so late.
    """
    return sorted(
        min((each for each in instants if each >= tick), default=end) - tick
        for instants in polls.values()
        for tick in ticks
    )


def figures(idle: int, full: int, items: int, ticks: int) -> list[Figure]:
    """Measure some minutes without, then as many as the first rounds last, `ticks` at the least."""
    with canned(items) as (url, ask), tempfile.TemporaryDirectory(prefix="keepstep-bench-") as home:
        made = Installation(Path(home))
        made.set_up(url, batch_size="512", private_appointments="full")
        large = [f"{FULL}{number}@example.com" for number in range(full)]
        made.bring_in(_mixed([f"idle{number}@example.com" for number in range(idle)], large))
        with made.running("serve", "--bind", free_address()) as serving:
            wait_for(lambda: ask(counts=True)["requests"] >= 2 * idle, "the idle mailboxes")
            without = _watch(ask, serving.pid, idle, 0, ticks)
            made.keepstep("operators", "enable", *large)
            beside = _watch(ask, serving.pid, idle, full, ticks)
    beside_what = f"{full} first rounds of {items} items beside {idle} polled every minute"
    notes = {
        "seconds until 99 of 100": [without.within(0.99), beside.within(0.99)],
        "seconds until half": [without.within(0.5), beside.within(0.5)],
        "ticks": [without.ticks, beside.ticks],
        "first rounds done": beside.read,
        "CPU seconds of serve": [without.cpu, beside.cpu],
        "CPU seconds of the canned Exchange": [without.canned_cpu, beside.canned_cpu],
        "said": f"{beside_what}; {beside.read} of {full} done in {beside.ticks} minutes, in which"
        f" serve took {beside.cpu:.0f} s of CPU, the canned Exchange {beside.canned_cpu:.0f} s",
    }
    return [
        Figure.once(
            "lateness by first rounds, 99 of 100 polls",
            "s more",
            beside.within(0.99) - without.within(0.99),
            goal=Goal(most=2),
            notes=notes,
        ),
        Figure.once("  late by, beside first rounds", "s", beside.within(0.99)),
        Figure.once("  late by, without them", "s", without.within(0.99)),
    ]


def _mixed(idle: Sequence[str], large: Sequence[str]) -> dict[str, bool]:
    """Spread the large calendars evenly, so that no order favours either; they are off at first."""
    every = max(1, len(idle) // max(1, len(large)))
    waiting, found = iter(large), {}
    for number, email in enumerate(idle):
        found[email] = True
        if number % every == every - 1:
            found |= {each: False for each in [next(waiting, "")] if each}
    return found | dict.fromkeys(waiting, False)


def _watch(ask: Ask, pid: int, idle: int, full: int, ticks: int) -> _Seen:
    """Watch whole minutes, `ticks` of them and until all full ones are read."""
    sleep_until(next_tick() - LOOK_BEFORE / 2)
    first = next_tick()
    ask(watch=True)
    ours, theirs = cpu_of(pid), ask(counts=True)["cpu"]
    seen = _Seen()
    while True:
        seen.ticks += 1
        end = first + seen.ticks * MINUTE - LOOK_BEFORE
        sleep_until(end)
        told = ask(counts=True)
        if seen.ticks >= ticks and (told["read"] >= full or seen.ticks >= MOST_TICKS):
            break
    polls = ask(seen=True)["polls"]
    assert len(polls) == idle, f"{len(polls)} of {idle} were polled"
    at = [first + number * MINUTE for number in range(seen.ticks)]
    seen.late = lateness(polls, at, end)
    seen.read = told["read"]
    seen.cpu, seen.canned_cpu = cpu_of(pid) - ours, told["cpu"] - theirs
    return seen
