"""CPU of starting: `keepstep --help`, and `keepstep serve` until it asks Exchange."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from statistics import mean

from benchmarks.canned import canned
from benchmarks.figure import Figure, Goal, Pass
from benchmarks.harness import KEEPSTEP, clean_environment, cpu_of
from benchmarks.installation import free_address
from benchmarks.many import filled

PATIENCE = 60
TIMES = 10
BARE = "python -c pass"


def figures(passes: int) -> list[Figure]:
    """Measure in turn with an interpreter that does nothing."""
    with tempfile.TemporaryDirectory(prefix="keepstep-bench-") as home:
        helped = [
            Pass(_cpu(home, str(KEEPSTEP), "--help"), limit=_nothing(home)) for _ in range(passes)
        ]
    served = _to_first_poll(passes)
    return [
        Figure("keepstep --help", "s", helped, limit_name=BARE, goal=Goal(most=0.3)),
        Figure("keepstep serve to the first poll", "s", served, limit_name=BARE, goal=Goal(most=2)),
    ]


def _cpu(home: str, *command: str) -> float:
    """Give the CPU seconds of a command that ends by itself."""
    environment = clean_environment(KEEPSTEP_HOME=home)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return usage.ru_utime + usage.ru_stime


def _nothing(home: str) -> float:
    """Give the CPU seconds of an interpreter that does nothing; one alone varies by a half."""
    return mean(_cpu(home, sys.executable, "-c", "pass") for _ in range(TIMES))


def _to_first_poll(passes: int) -> list[Pass]:
    """Give the CPU seconds that `serve` has spent when the first request is there."""
    found = []
    with canned() as (url, ask), filled(url, 1) as made:
        for _ in range(passes):
            ask(watch=True)
            with made.running("serve", "--bind", free_address()) as serving:
                if not ask(first=PATIENCE)["came"]:
                    raise SystemExit(f"serve asked nothing in {PATIENCE} s: {made.home}")
                spent = cpu_of(serving.pid)
            found.append(Pass(spent, limit=_nothing(str(made.home))))
    return found
