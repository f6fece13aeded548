"""Running the command as a user does: a process of its own, in a data directory of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-c", "import sys; from keepstep.cli import main; sys.exit(main())")


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit status, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it wrote on standard output, which must be one JSON document."""
        return json.loads(self.out)


class Shell:
    """Runs commands in one data directory."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        given = {name: value for name, value in os.environ.items() if "KEEPSTEP" not in name}
        # A user's output is buffered: what can't be written fails at the end.
        given.pop("PYTHONUNBUFFERED", None)
        self.environment = {**given, "KEEPSTEP_HOME": str(home), **environment}

    def __call__(self, *arguments: str, given: str = "") -> Ended:
        """Run to the end."""
        done = subprocess.run(
            [*PROGRAM, *arguments],
            input=given,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=self.environment,
            timeout=120,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start, and give the process."""
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
