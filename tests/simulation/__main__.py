"""`python -m tests.simulation`: run seeds, or replay one."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.simulation import seeds

_CHUNK = 25


def main() -> int:
    """Give the exit status: 1 if a seed ended in a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds to run")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes run them")
    parser.add_argument("--seed", type=int, help="run this one alone, twice")
    parser.add_argument("--trace", action="store_true", help="show all that happens in it")
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first one")
    parser.add_argument("--digests", action="store_true", help="print what tells runs apart")
    given = parser.parse_args()
    if given.digests:
        return _print_digests(range(given.first, given.first + given.seeds))
    if given.seed is not None:
        return _replay(given.seed, trace=given.trace)
    return _run_many(given.first, given.seeds, given.jobs, keep_going=given.keep_going)


def _replay(seed: int, *, trace: bool) -> int:
    seeds.prepare()
    from tests.simulation.store import tables
    from tests.simulation.story import run

    first = run(seed, tables(), print if trace else None)
    second = run(seed, tables())
    print(f"seed {seed}: digest {first.digest}, {first.requests} requests")
    for difference in first.differences:
        print(f"  {difference}")
    if second.digest != first.digest:
        print(f"  a second run differs: digest {second.digest}")
    return 1 if first.differences or second.digest != first.digest else 0


def _print_digests(chosen: range) -> int:
    seeds.prepare()
    for seed, digest in seeds.digests(chosen):
        print(seed, digest)
    return 0


def _run_many(first: int, count: int, jobs: int, *, keep_going: bool) -> int:
    began = time.monotonic()
    done = failed = 0
    chunks = [
        range(at, min(at + _CHUNK, first + count)) for at in range(first, first + count, _CHUNK)
    ]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn, initializer=seeds.prepare) as pool:
        for results in pool.map(seeds.run_some, chunks):
            for seed, differences in results:
                done += 1
                if differences:
                    failed += 1
                    _tell(seed, differences)
            rate = done / (time.monotonic() - began)
            print(f"\r{done} of {count} seeds, {rate:.1f} a second", end="", file=sys.stderr)
            if failed and not keep_going:
                pool.shutdown(cancel_futures=True)
                break
    print(file=sys.stderr)
    print(f"{done} seeds, {failed} with a difference, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def _tell(seed: int, differences: tuple[str, ...]) -> None:
    print(f"\n{seeds.report(seed, differences)}")


if __name__ == "__main__":
    sys.exit(main())
