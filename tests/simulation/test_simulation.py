"""Random stories end in step; a seed always tells the same story."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation import seeds

# In chunks, so that the tests' processes share them evenly.
SOAK = os.environ.get("KEEPSTEP_SOAK") == "1"
SEEDS, CHUNK = (100_000, 250) if SOAK else (200, 10)
REPLAYED = range(7000, 7006)
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Nobody reads the log of so many runs."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_all_is_in_step_after_each_story(first: int) -> None:
    told = seeds.run_some(range(first, first + CHUNK))

    wrong = [seeds.report(seed, differences) for seed, differences in told if differences]
    assert len(told) == CHUNK
    assert not wrong, "\n" + "\n".join(wrong)


def test_a_seed_told_twice_is_the_same_to_the_last_request_and_row() -> None:
    once = seeds.digests(REPLAYED)

    # In another order, so that nothing is left over from the story before.
    again = seeds.digests(reversed(REPLAYED))

    assert once == again[::-1]
    assert len({digest for _, digest in once}) == len(REPLAYED), "a digest tells stories apart"


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_is_the_same_in_another_process_with_other_hashes(hash_seed: str) -> None:
    chosen = ["--from", str(REPLAYED.start), "--seeds", str(len(REPLAYED))]

    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *chosen, "--digests"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    here = [f"{seed} {digest}" for seed, digest in seeds.digests(REPLAYED)]
    assert done.stdout.splitlines() == here
