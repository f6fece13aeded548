"""What the benchmarks share: a server, children that measure, what a process costs."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

KEEPSTEP = Path(sys.executable).with_name("keepstep")

MINUTE = 60

Ask = Callable[..., dict[str, Any]]


def cpu_seconds() -> float:
    """Give the CPU seconds, user and system, that this process has spent so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cpu_of(pid: int) -> float:
    """Give the CPU seconds of another process so far, with those of its children that ended.

    The system counts them in hundredths.
    """
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, parts[11:15])) / os.sysconf("SC_CLK_TCK")


def wait_for(true: Callable[[], bool], what: str, seconds: float = 300) -> None:
    """Wait until something is true. Raises SystemExit where it does not come to be."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise SystemExit(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.2)


def next_tick(ahead: float = 0) -> float:
    """Give the next full minute that is more than so many seconds ahead, in seconds of 1970."""
    return ((time.time() + ahead) // MINUTE + 1) * MINUTE


def sleep_until(instant: float) -> None:
    """Sleep until an instant in seconds of 1970; one that has passed is not waited for."""
    time.sleep(max(0.0, instant - time.time()))


def peak_bytes(pid: int | str = "self") -> int:
    """Give the most memory that a process ever had resident.

    ru_maxrss won't do: on Linux a new process inherits it from the one that started it.
    """
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert found is not None, "memory is measured on Linux"
    return int(found[1]) * 1024


def clean_environment(**more: str) -> dict[str, str]:
    """Give the environment without settings of the product, but for `more`."""
    kept = {key: each for key, each in os.environ.items() if "KEEPSTEP" not in key}
    return kept | {"DJANGO_SETTINGS_MODULE": "keepstep.settings"} | more


def product_environment(home: str, database: str = "") -> dict[str, str]:
    """Give the environment of a product in this folder, on SQLite there or on a database by URL."""
    more = {"KEEPSTEP_DATABASE_URL": database} if database else {}
    return clean_environment(KEEPSTEP_HOME=home, **more)


@contextmanager
def talking(
    module: str, *arguments: str, home: str = "", database: str = "", greets: bool = False
) -> Iterator[tuple[Ask, dict[str, Any]]]:
    """Run a module that answers each line of JSON with one; give how to ask, and what it greets by.

    With a `home` it is the product's, on a `database` of its own or the URL of another. On leaving
    its standard input ends, and it is waited for.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=product_environment(home, database) if home else None,
    )
    said, heard = process.stdin, process.stdout
    assert said is not None
    assert heard is not None

    def hear() -> dict[str, Any]:
        line = heard.readline()
        if not line:
            raise SystemExit(f"{module} ended with {process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(**words: Any) -> dict[str, Any]:
        said.write(json.dumps(words) + "\n")
        said.flush()
        return hear()

    try:
        yield ask, hear() if greets else {}
    finally:
        said.close()
        process.wait(timeout=60)


@contextmanager
def server(mailboxes: int, items: int) -> Iterator[dict[str, Any]]:
    """Run the benchmarks' Exchange in a process of its own; give its `url` and `emails`."""
    sizes = ("--mailboxes", str(mailboxes), "--items", str(items))
    with talking("benchmarks.server", *sizes, greets=True) as (_, served):
        yield served


@contextmanager
def child(
    module: str, given: dict[str, Any], home: str = "", database: str = ""
) -> Iterator[tuple[Ask, dict[str, Any]]]:
    """Run `module` in a new process; give how to ask more of it, and what it answers at first.

    Its home is a new and empty one unless named.
    """
    with ExitStack() as stack:
        if not home:
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="keepstep-bench-"))
        ask, _ = stack.enter_context(talking(module, home=home, database=database))
        yield ask, ask(**given)


def in_child(
    module: str, given: dict[str, Any], home: str = "", database: str = ""
) -> dict[str, Any]:
    """Run `module` as a program in a new process, as `child` does; give the JSON it answers."""
    with child(module, given, home, database) as (_, answered):
        return answered


def given() -> dict[str, Any]:
    """In a child: give what it was asked at first."""
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    return asked


def further() -> Iterator[dict[str, Any]]:
    """In a child: give what else it is asked, until nothing more is."""
    for line in sys.stdin:
        yield json.loads(line)


def answer(found: dict[str, Any]) -> None:
    """In a child: print what was found."""
    print(json.dumps(found), flush=True)
