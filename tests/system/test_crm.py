"""The example CRM keeps its own table in step by feed and webhook, and is killed on the way."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from keepstep_simulator import Recurrence, SimulatorThread
from tests.mail_server import free_port
from tests.system.product import Keepstep, wait_for

CRM = Path(__file__).parents[2] / "examples" / "crm.py"
EMAILS = ("anna@example.com", "ben@example.com")
ADMINISTRATOR = "admin@example.com"
PAST, AHEAD = timedelta(days=30), timedelta(days=300)
HOUR = timedelta(hours=1)


class Api:
    """The API of the running server, as the test looks at it."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def meetings(self) -> list[tuple[str, ...]]:
        """What the calendar shows in the CRM's window."""
        today = datetime.now(UTC).date()
        days = f"from={today - PAST}&to={today + AHEAD}"
        found = self.ask("GET", f"/appointments?limit=500&{days}")
        assert found["next"] is None
        return sorted(
            (each["id"], each["subject"], each["start"], each["end"]) for each in found["items"]
        )


class Crm:
    """The example over a table of its own; it looks so seldom that only webhooks wake it."""

    def __init__(self, folder: Path, api: Api, port: int, secret: str) -> None:
        self.database = folder / "crm.sqlite3"
        self._command = [sys.executable, str(CRM), "--url", api.url, "--every", "3600"]
        self._command += ["--database", str(self.database), "--listen", f"127.0.0.1:{port}"]
        self._environment = os.environ | {
            "KEEPSTEP_TOKEN": api.token,
            "KEEPSTEP_WEBHOOK_SECRET": secret,
        }

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(self._command, env=self._environment, text=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def meetings(self) -> list[tuple[str, ...]]:
        if not self.database.exists():
            return []
        with sqlite3.connect(self.database) as own:
            try:
                found = own.execute('SELECT id, subject, start, "end" FROM meeting').fetchall()
            except sqlite3.OperationalError:
                return []
        own.close()
        return sorted(found)


def fill(exchange: SimulatorThread, keepstep: Keepstep) -> None:
    """Two mailboxes with a series and forty appointments each."""
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    for email in EMAILS:
        mailbox = exchange.simulator.add_mailbox(email)
        for number in range(40):
            start = begin + number * 5 * HOUR
            mailbox.create(start=start, end=start + HOUR, subject=f"Meeting {number}")
        mailbox.create(
            start=begin, end=begin + HOUR, subject="Round",
            recurrence=Recurrence("daily", begin.date(), 1, count=20),
        )  # fmt: skip
    keepstep.import_operators(*(f"{email},Europe/Berlin,West" for email in EMAILS))
    keepstep.sync()


def change_much(exchange: SimulatorThread, word: str, places: range) -> None:
    """Change, delete and create appointments in both mailboxes."""
    for email in EMAILS:
        mailbox = exchange.simulator.mailboxes[email]
        items = [each for each in mailbox.items() if each.subject.startswith("Meeting")]
        for number in places:
            mailbox.update(items[number].id, subject=f"Meeting {word} {number}")
        mailbox.delete(items[-1].id)
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
        mailbox.create(start=start, end=start + HOUR, subject=f"Meeting new {word}")


def test_the_crm_is_killed_and_started_again_and_its_table_ends_equal(
    keepstep: Keepstep, exchange: SimulatorThread, tmp_path: Path
) -> None:
    fill(exchange, keepstep)
    keepstep.do("createadmin", "--email", ADMINISTRATOR)
    keepstep.set(webhook_private_targets="on", api_requests_per_minute="100000")
    scopes = ("read-calendar", "read-operators", "write-operators", "write-settings")
    named = [part for scope in scopes for part in ("--scope", scope)]
    token = keepstep.do("tokens", "create", ADMINISTRATOR, "CRM", *named).output.splitlines()[-1]
    with keepstep.serving() as serve:
        api = Api(f"http://{serve.args[-1]}", token)
        port = free_port()
        hook = api.ask("POST", "/webhooks", {"url": f"http://127.0.0.1:{port}/"})
        crm = Crm(tmp_path, api, port, hook["secret"])

        def equal() -> bool:
            ours = crm.meetings()
            return bool(ours) and ours == api.meetings()

        with crm.running():
            wait_for(equal, "the first snapshot", every=0.2)
            change_much(exchange, "told", range(0, 5))
            keepstep.sync()
            wait_for(equal, "a webhook to wake it", every=0.2)
            before = crm.meetings()
            change_much(exchange, "killed", range(0, 35))
            keepstep.sync()
            wait_for(lambda: crm.meetings() != before, "the changes to come in", every=0.005)
        change_much(exchange, "away", range(10, 20))
        keepstep.sync()
        assert not equal()
        with crm.running():
            wait_for(equal, "it to catch up after the kill", every=0.2)
            operators = {
                each["email"]: each["id"] for each in api.ask("GET", "/operators")["items"]
            }
            api.ask("DELETE", f"/operators/{operators[EMAILS[1]]}?confirm={EMAILS[1]}")
            change_much_of_one(exchange)
            keepstep.sync()
            wait_for(equal, "it to let go of who was erased", every=0.2)
    assert any(subject == "Meeting new away" for _, subject, _, _ in crm.meetings())


def change_much_of_one(exchange: SimulatorThread) -> None:
    """Change an appointment of Anna's, so that the webhook tells of something."""
    mailbox = exchange.simulator.mailboxes[EMAILS[0]]
    item = next(each for each in mailbox.items() if each.subject.startswith("Meeting"))
    mailbox.update(item.id, subject="Meeting of Anna")
