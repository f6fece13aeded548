"""Running seeds in a process of their own, set up without pytest."""

from __future__ import annotations

import logging
import os
import tempfile
import traceback
from collections.abc import Iterable

Result = tuple[int, tuple[str, ...]]


def prepare() -> None:
    """Set the product up in this process, with a home of its own."""
    os.environ["KEEPSTEP_HOME"] = tempfile.mkdtemp(prefix="keepstep-simulation-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "keepstep.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    os.environ.pop("KEEPSTEP_DATABASE_URL", None)
    import django

    django.setup()
    logging.disable(logging.CRITICAL)


def digests(seeds: Iterable[int]) -> list[tuple[int, str]]:
    """Give what tells the run of each seed from any other: its whole trace and all tables."""
    from tests.simulation.store import tables
    from tests.simulation.story import run

    return [(seed, run(seed, tables()).digest) for seed in seeds]


def report(seed: int, differences: tuple[str, ...]) -> str:
    """Give how to replay a seed, and the first of its differences."""
    lines = [f"seed {seed}: python -m tests.simulation --seed {seed} --trace", *differences[:5]]
    return "\n  ".join(lines)


def run_some(seeds: Iterable[int]) -> list[Result]:
    """Give what differs in each seed; an error of the simulation itself is a difference too."""
    from tests.simulation.store import tables
    from tests.simulation.story import run

    results: list[Result] = []
    for seed in seeds:
        try:
            results.append((seed, run(seed, tables()).differences))
        except Exception:  # noqa: BLE001 - whatever it is, the seed must be told
            results.append((seed, (traceback.format_exc(),)))
    return results
