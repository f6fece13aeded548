"""What is counted of the API, in this process, for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from threading import Lock

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

BOUNDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
_lock = Lock()
_requests: Counter[tuple[str, str]] = Counter()
_within: Counter[float] = Counter()
_total = {"seconds": 0.0, "limited": 0.0, "changes": 0.0}


def note_request(operation: str, status: int, seconds: float) -> None:
    """Count a request of an operation ("" for none that is known), answered after so long."""
    with _lock:
        _requests[operation or "unknown", str(status)] += 1
        _total["seconds"] += seconds
        _within[next((each for each in BOUNDS if seconds <= each), float("inf"))] += 1


def note_limited() -> None:
    """Count a request that came too soon."""
    with _lock:
        _total["limited"] += 1


def note_changes(count: int) -> None:
    """Count entries of the changes feed that were read."""
    with _lock:
        _total["changes"] += count


def families() -> Iterable[Metric]:
    """Give what was counted since the process began."""
    with _lock:
        requests, within, total = dict(_requests), dict(_within), dict(_total)
    answered = CounterMetricFamily(
        "keepstep_api_requests", "Requests to the API.", labels=["operation", "status"]
    )
    for key, count in sorted(requests.items()):
        answered.add_metric(list(key), count)
    yield answered
    buckets, sofar = [], 0
    for bound in (*BOUNDS, float("inf")):
        sofar += within.get(bound, 0)
        buckets.append(("+Inf" if bound == float("inf") else str(bound), sofar))
    yield HistogramMetricFamily(
        "keepstep_api_seconds", "How long answers took.", buckets, total["seconds"]
    )
    for name, words in (
        ("limited", "Requests refused by the rate limit."),
        ("changes", "Entries of the changes feed that were read."),
    ):
        yield CounterMetricFamily(f"keepstep_api_{name}", words, total[name])
