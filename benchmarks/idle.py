"""CPU of an idle poll: the whole product, exchangelib, and bare sockets with the same bytes."""

from __future__ import annotations

from typing import Any

from benchmarks.figure import Figure, Goal, Pass
from benchmarks.harness import child, server
from benchmarks.recording import Exchanged, recording

RIVAL = "exchangelib in 16 threads"
CONNECTIONS = 20


def figures(mailboxes: int, rounds: int, passes: int) -> list[Figure]:
    """Measure in turn, again and again: scheduling, request, answer, notes, the run's record."""
    with server(mailboxes, 0) as served:
        limit = {
            "url": served["url"],
            "connections": CONNECTIONS,
            "requests": [each.request.decode("latin-1") for each in _idle_requests(served)],
        }
        with (
            child("benchmarks.keepstep_run", served) as (ours, _),
            child("benchmarks.exchangelib_run", served) as (rival, _),
            child("benchmarks.bare_run", limit) as (bare, _),
        ):
            ways = (ours, rival, bare)
            for way in ways:
                way(rounds=1)  # what is done but once: connections, caches
            found = [Pass(*(_cost(way(rounds=rounds)) for way in ways)) for _ in range(passes)]
    return [
        Figure(
            "idle poll, whole product",
            "ms",
            found,
            f"{RIVAL}, stored sync state",
            f"a bare asyncio client on {CONNECTIONS} sockets, the product's own requests",
            Goal(ratio=20, at_least=12, times=3),
            {"mailboxes": mailboxes, "rounds": rounds},
        )
    ]


def _idle_requests(served: dict[str, Any]) -> list[Exchanged]:
    """Give the request of one idle poll of each mailbox, as the product sends it."""
    with recording(served["url"]) as (url, passed):
        with child("benchmarks.keepstep_run", {**served, "url": url}) as (ours, _):
            before = len(passed)
            ours(rounds=1)
        found = [each for each in passed[before:] if each.state_sent]
    assert {each.mailbox for each in found} == set(served["emails"])
    return found


def _cost(found: dict[str, Any]) -> float:
    return 1000 * float(found["cpu"]) / int(found["polls"])
