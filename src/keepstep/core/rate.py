"""How many requests a caller may make: a bucket that fills again as time goes by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a caller has left, as it was at `at` (seconds of any steady clock)."""

    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking: the bucket now, and for how many seconds to wait (0: go on)."""

    bucket: Bucket
    wait: float


def take(bucket: Bucket | None, per_minute: int, now: float) -> Taken:
    """Take one request out of a bucket (None: full) that holds and gets `per_minute` of them."""
    full = float(per_minute)
    each_second = full / 60
    left = full
    if bucket is not None:
        left = min(full, bucket.left + max(now - bucket.at, 0) * each_second)
    if left >= 1:
        return Taken(Bucket(left - 1, now), 0)
    return Taken(Bucket(left, now), (1 - left) / each_second)
