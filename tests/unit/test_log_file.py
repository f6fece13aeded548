"""Processes that log to one file lose no line when it is turned over, whoever does so."""

from __future__ import annotations

import fcntl
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from keepstep.cli.log_file import SharedLogFile

LARGEST = 20_000
LINES = 400
WRITER = """
import logging, sys
from keepstep.cli.log_file import SharedLogFile

path, name, largest, kept, lines = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
handler = SharedLogFile(path, maxBytes=largest, backupCount=kept, encoding="utf-8")
sys.stdin.readline()
for number in range(lines):
    line = f"{name} {number} " + "x" * (number % 300)
    handler.handle(logging.LogRecord("k", 20, "f", 1, line, (), None))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keepstep.log"


def written_together(path: Path, *, kept: int, writers: int = 2) -> None:
    """Let processes write at the same time."""
    numbers = (str(LARGEST), str(kept), str(LINES))
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"writer{number}", *numbers],
            stdin=subprocess.PIPE,
        )
        for number in range(writers)
    ]
    for each in started:
        assert each.stdin is not None
        each.stdin.write(b"go\n")
        each.stdin.flush()
    for each in started:
        each.communicate(timeout=60)
        assert each.returncode == 0


def log_files(path: Path) -> list[Path]:
    return [each for each in path.parent.iterdir() if each.suffix != ".lock"]


def write(handler: logging.Handler, line: str) -> None:
    handler.handle(logging.LogRecord("k", logging.INFO, "f", 1, line, (), None))


def test_every_line_of_two_processes_is_there_whole_and_once(path: Path) -> None:
    written_together(path, kept=1000)
    found = [line for file in log_files(path) for line in file.read_text().splitlines()]
    expected = [f"writer{w} {n} " + "x" * (n % 300) for w in range(2) for n in range(LINES)]
    assert sorted(found) == sorted(expected)
    assert len(log_files(path)) > 1, "it was turned over meanwhile"


def test_no_file_is_turned_over_before_its_time_which_would_cut_short_what_is_kept(
    path: Path,
) -> None:
    written_together(path, kept=2, writers=3)
    full = [file for file in log_files(path) if file != path]
    assert len(full) == 2
    assert min(file.stat().st_size for file in full) > LARGEST - 320


def test_the_files_stay_bounded_in_size_and_number(path: Path) -> None:
    handler = SharedLogFile(path, maxBytes=LARGEST, backupCount=3)
    for number in range(LINES):
        write(handler, "x" * number)
    assert len(log_files(path)) == 4
    assert max(file.stat().st_size for file in log_files(path)) < LARGEST


def test_a_process_writes_on_where_another_has_turned_the_file_over(path: Path) -> None:
    one, other = (SharedLogFile(path, maxBytes=100, backupCount=3) for _ in range(2))
    write(other, "before")
    write(one, "y" * 90)
    write(one, "z" * 90)
    write(other, "after")
    assert path.read_text().splitlines() == ["z" * 90, "after"]
    assert sorted(file.name for file in log_files(path)) == ["keepstep.log", "keepstep.log.1"]


def test_a_process_that_is_frozen_while_turning_it_over_keeps_nobody_from_writing(
    path: Path,
) -> None:
    handler = SharedLogFile(path, maxBytes=100, backupCount=3)
    with Path(f"{path}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for _ in range(3):
            write(handler, "x" * 90)
        assert len(path.read_text().splitlines()) == 3
    write(handler, "later")
    assert path.read_text() == "later\n"


def test_a_file_that_was_taken_away_is_made_anew(path: Path) -> None:
    handler = SharedLogFile(path, maxBytes=100, backupCount=3)
    write(handler, "one")
    path.unlink()
    write(handler, "two")
    assert path.read_text() == "two\n"
