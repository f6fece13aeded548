#!/usr/bin/env python3
"""A small CRM that keeps a table of its own in step with Keepstep's sales calendar.

It needs nothing but Python 3.11, and shows all that a reader of the API has to do:

1. Snapshot. Take a cursor from /changes/latest FIRST, then read the appointments. What changes in
   between comes again with the feed; nothing is missed.
2. Follow. Read /changes from the cursor; of each appointment named ask how it stands NOW and put
   that in place of what is known of it. Rows and the next cursor are committed together: killed at
   any instant, it goes on where it was. The same change read twice does no harm.
3. Start over when the answer is 410 (the cursor is too old), and once a day, as the window of days
   that is kept moves on.
4. Be woken by a webhook, so as not to ask all the time. Its signature is checked; what it says is
   not relied upon: the feed is the truth, the webhook only says "look now". A lost one costs time.
5. Let go of operators who are gone: who was erased is in no list any more.

Run it so, with a token of the scopes read-calendar and read-operators:

    keepstep tokens create admin@example.com CRM --scope read-calendar --scope read-operators
    KEEPSTEP_TOKEN=… python examples/crm.py --url http://127.0.0.1:8000 --database crm.sqlite3

and to be woken, with the secret that Keepstep showed when the webhook was added (Settings,
Webhooks): KEEPSTEP_WEBHOOK_SECRET=whsec_… and --listen 127.0.0.1:9000.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAST, AHEAD = timedelta(days=30), timedelta(days=300)
AT_ONCE = 50
LONGEST_WAIT = 60

TABLES = """
CREATE TABLE IF NOT EXISTS meeting (
    id TEXT PRIMARY KEY, appointment TEXT NOT NULL, operator_id INTEGER NOT NULL,
    subject TEXT NOT NULL, start TEXT NOT NULL, "end" TEXT NOT NULL, people TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS meeting_appointment ON meeting (appointment);
CREATE TABLE IF NOT EXISTS place (only INTEGER PRIMARY KEY CHECK (only = 1), cursor TEXT, day TEXT);
"""


class TooOld(Exception):
    """The feed can't be told without gaps from our cursor on."""


class Keepstep:
    """The API, as far as this program needs it."""

    def __init__(self, url: str, token: str) -> None:
        self._base, self._token = url.rstrip("/") + "/api/v1", token

    def get(self, path: str, query: Iterable[tuple[str, str]] = ()) -> Any:
        """Ask until there is an answer: a busy or restarted server is no reason to end."""
        address = f"{self._base}{path}?{urllib.parse.urlencode(list(query))}"
        headers = {"Authorization": f"Bearer {self._token}"}
        pause = 1.0
        while True:
            try:
                request = urllib.request.Request(address, headers=headers)
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code == 410:
                    raise TooOld from None
                if error.code not in (429, 500, 502, 503):
                    said = json.load(error)
                    sys.exit(f"{said['code']}: {said['message']} {said['remedy']}")
                wait = float(error.headers.get("Retry-After") or pause)
            except OSError:
                wait = pause
            time.sleep(min(wait, LONGEST_WAIT))
            pause = min(pause * 2, LONGEST_WAIT)

    def all(self, path: str, query: Iterable[tuple[str, str]] = ()) -> Iterator[Any]:
        """Give the items of a list, portion by portion."""
        cursor: str | None = ""
        while cursor is not None:
            portion = self.get(path, [*query, ("cursor", cursor), ("limit", "500")])
            yield from portion["items"]
            cursor = portion["next"]


class Crm:
    """Our own table, and how far it has come."""

    def __init__(self, database: str, keepstep: Keepstep) -> None:
        self._keepstep = keepstep
        self._own = sqlite3.connect(database, isolation_level=None)
        self._own.execute("PRAGMA journal_mode = WAL")
        self._own.executescript(TABLES)

    def step(self) -> None:
        """Bring the table in step with how the calendar stands now."""
        place = self._own.execute("SELECT cursor, day FROM place").fetchone()
        today = datetime.now(UTC).date().isoformat()
        if place is None or place[1] != today:
            self.snapshot(today)
            return
        try:
            self.follow(place[0], today)
        except TooOld:
            self.snapshot(today)
        self.let_go()

    def snapshot(self, today: str) -> None:
        """Read the whole window anew."""
        cursor = self._keepstep.get("/changes/latest")["next"]
        meetings = list(self._keepstep.all("/appointments", window(today)))
        with Transaction(self._own):
            self._own.execute("DELETE FROM meeting")
            self._put(meetings)
            self._note(cursor, today)

    def follow(self, cursor: str, today: str) -> None:
        """Take over what changed since the cursor."""
        while True:
            portion = self._keepstep.get("/changes", [("cursor", cursor), ("limit", "1000")])
            changed = list({each["appointment"]: None for each in portion["items"]})
            for start in range(0, len(changed), AT_ONCE):
                self._renew(changed[start : start + AT_ONCE], today)
            cursor = portion["next"]
            with Transaction(self._own):
                self._note(cursor, today)
            if not portion["more"]:
                return

    def _renew(self, changed: list[str], today: str) -> None:
        named = [("appointment", each) for each in changed]
        meetings = list(self._keepstep.all("/appointments", [*window(today), *named]))
        with Transaction(self._own):
            self._own.executemany(
                "DELETE FROM meeting WHERE appointment = ?", [(each,) for each in changed]
            )
            self._put(meetings)

    def let_go(self) -> None:
        """Forget operators who are there no more."""
        known = {each["id"] for each in self._keepstep.all("/operators")}
        ours = {row[0] for row in self._own.execute("SELECT DISTINCT operator_id FROM meeting")}
        gone = [(each,) for each in ours - known]
        self._own.executemany("DELETE FROM meeting WHERE operator_id = ?", gone)

    def _put(self, meetings: list[dict[str, Any]]) -> None:
        rows = [
            (
                each["id"],
                each["appointment"],
                each["operator_id"],
                each["subject"],
                each["start"],
                each["end"],
                "; ".join(person["email"] for person in each["attendees"]),
            )
            for each in meetings
        ]
        self._own.executemany("INSERT OR REPLACE INTO meeting VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def _note(self, cursor: str, today: str) -> None:
        self._own.execute("INSERT OR REPLACE INTO place VALUES (1, ?, ?)", (cursor, today))


class Transaction:
    """All that is done within, or nothing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


def window(today: str) -> list[tuple[str, str]]:
    """Give the days that are kept, as the API asks for them."""
    day = date.fromisoformat(today)
    return [("from", (day - PAST).isoformat()), ("to", (day + AHEAD).isoformat())]


def is_genuine(secret: str, headers: Any, body: bytes) -> bool:
    """Say whether a delivery is signed by our secret, and not an old one sent again."""
    try:
        stamp = headers["webhook-timestamp"]
        if abs(time.time() - int(stamp)) > 300:
            return False
        told = f"{headers['webhook-id']}.{stamp}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        made = base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
        signatures = (headers["webhook-signature"] or "").split()
        return any(hmac.compare_digest(f"v1,{made}", each) for each in signatures)
    except (TypeError, ValueError):
        return False


def listen(address: str, secret: str, wake: threading.Event) -> None:
    """Have webhooks wake us, from a thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 1_000_000))
            genuine = is_genuine(secret, self.headers, body)
            self.send_response(204 if genuine else 401)
            self.end_headers()
            if genuine:
                wake.set()

        def log_message(self, *_: object) -> None:
            return

    host, _, port = address.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main() -> None:
    """Keep in step until ended."""
    parser = argparse.ArgumentParser(description="A small CRM that follows Keepstep.")
    parser.add_argument("--url", required=True, help="address of Keepstep's pages")
    parser.add_argument("--database", default="crm.sqlite3", help="our own table")
    parser.add_argument("--listen", help="HOST:PORT at which webhooks come in")
    parser.add_argument("--every", type=float, default=60, help="seconds between looks, unwoken")
    parser.add_argument("--once", action="store_true", help="look once, and end")
    given = parser.parse_args()
    crm = Crm(given.database, Keepstep(given.url, os.environ["KEEPSTEP_TOKEN"]))
    wake = threading.Event()
    if given.listen:
        listen(given.listen, os.environ["KEEPSTEP_WEBHOOK_SECRET"], wake)
    while True:
        wake.clear()
        crm.step()
        if given.once:
            return
        wake.wait(given.every)


if __name__ == "__main__":
    main()
