"""What the API is made with is heavy: it is loaded by its first request, and by nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, django
django.setup()
import keepstep.cli.serve, keepstep.cli.worker, keepstep.sync.server, keepstep.web.asgi
import keepstep.web.urls, keepstep.sync.scheduler
heavy = {"ninja", "pydantic"} & set(sys.modules)
assert not heavy, heavy
from django.test import Client
assert Client().get("/api/v1/me").status_code == 401
assert "ninja" in sys.modules
"""


def test_a_server_loads_it_with_the_first_request(home: Path) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
