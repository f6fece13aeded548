"""The product of another commit, measured by the benchmarks and in the environment of this one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks.record import Record, read_record

ROOT = Path(__file__).resolve().parent.parent
# Made by hatch_build.py, and not kept in the repository; pages and `serve` need them.
_MADE = ("src/keepstep/web/static/vendor/**/*", "src/keepstep/web/locale/**/*.mo")
# What the development environment has, and which of it is the product's.
_LOCK, _PRODUCT = "requirements/dev.txt", "requirements/product.txt"


class Unready(Exception):
    """A commit can't be measured here: why, and what to do."""


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """Check a commit out into a folder that is thrown away afterwards. Raises Unready."""
    with tempfile.TemporaryDirectory(prefix="keepstep-bench-") as parent:
        folder = Path(parent) / "checkout"
        done = _git("worktree", "add", "--detach", str(folder), commit)
        if done.returncode:
            raise Unready(f"{commit} can't be checked out: {done.stderr.strip()}")
        try:
            _require_environment(commit, folder)
            _bring_made(folder)
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _bring_made(folder: Path) -> None:
    for each in (found for pattern in _MADE for found in ROOT.glob(pattern) if found.is_file()):
        copy = folder / each.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(each, copy)


def measured_in(folder: Path, options: list[str]) -> Record:
    """Run the benchmarks on the product of a checkout; give the record."""
    with tempfile.TemporaryDirectory(prefix="keepstep-bench-") as parent:
        record = Path(parent) / "record.json"
        command = [sys.executable, "-m", "benchmarks", *options, "--record", str(record)]
        path = os.pathsep.join([str(folder / "src"), str(ROOT)])
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.DEVNULL
        )
        if done.returncode:
            raise Unready(f"the benchmarks failed on {folder}")
        return read_record(record)


def missing(lock: str, names: Collection[str] | None = None) -> list[str]:
    """Give what a list of locked requirements asks for and this environment has not.

    Only the packages of these `names` count; all, where none are given.
    """
    found = []
    for wanted in _requirements(lock):
        if names is not None and wanted.name not in names:
            continue
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            installed = version(wanted.name)
        except PackageNotFoundError:
            found.append(f"{wanted.name}{wanted.specifier} (not installed)")
            continue
        if not wanted.specifier.contains(installed, prereleases=True):
            found.append(f"{wanted.name}{wanted.specifier} (installed: {installed})")
    return found


def _requirements(lock: str) -> Iterator[Requirement]:
    for line in lock.splitlines():
        words = line.removesuffix("\\").strip()
        if words and not words.startswith(("#", "--")):
            yield Requirement(words)


def _names(lock: str) -> set[str]:
    return {each.name for each in _requirements(lock)}


def _require_environment(commit: str, folder: Path) -> None:
    """Raise Unready where a commit's product needs another environment than this one."""
    lock, product = folder / _LOCK, folder / _PRODUCT
    names = _names(product.read_text(encoding="utf-8")) if product.exists() else None
    lacking = missing(lock.read_text(encoding="utf-8"), names) if lock.exists() else []
    if lacking:
        raise Unready(
            f"{commit} needs other packages than this environment has: {', '.join(lacking)}.\n"
            "Run `make install-dev` and `make bench` in a checkout of each, then compare the two"
            " records: python -m benchmarks.compare BEFORE.json AFTER.json"
        )


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
