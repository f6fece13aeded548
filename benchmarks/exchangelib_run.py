"""A child: the rival. exchangelib in 16 threads synchronizes, with rows into SQLite."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from exchangelib import IMPERSONATION, Account, Build, Configuration, Credentials, Version
from exchangelib.items import CalendarItem
from exchangelib.transport import BASIC

from benchmarks.harness import answer, cpu_seconds, further, given

THREADS = 16
BATCH = 512
FIELDS = (
    "subject",
    "location",
    "text_body",
    "start",
    "end",
    "is_all_day",
    "organizer",
    "required_attendees",
    "optional_attendees",
    "resources",
    "sensitivity",
    "legacy_free_busy_status",
    "is_cancelled",
    "categories",
    "uid",
    "recurrence",
    "modified_occurrences",
    "deleted_occurrences",
    "last_modified_time",
    "type",
    "my_response_type",
)


def main() -> None:
    """Measure the same work: a first round to rows in a table, then idle rounds as asked."""
    asked = given()
    configuration = configuration_of(asked["url"])
    accounts = [account_of(email, configuration) for email in asked["emails"]]
    for account in accounts:
        account.calendar  # noqa: B018 - finding the folder is not measured
    table = sqlite3.connect(":memory:", check_same_thread=False)
    columns = ", ".join(["email", "id", "changekey", *FIELDS])
    table.execute(f"CREATE TABLE item ({columns})")
    with ThreadPoolExecutor(THREADS) as pool:
        begun = cpu_seconds()
        read = list(pool.map(_first_round, accounts))
        marks = ", ".join("?" * (len(FIELDS) + 3))
        for rows in read:
            table.executemany(f"INSERT INTO item VALUES ({marks})", rows)
        table.commit()
        spent = cpu_seconds() - begun
        answer({"items": sum(map(len, read)), "cpu": spent})
        for more in further():
            begun = cpu_seconds()
            for _ in range(more["rounds"]):
                assert sum(pool.map(idle_round, accounts)) == 0
            polls = more["rounds"] * len(accounts)
            answer({"cpu": cpu_seconds() - begun, "polls": polls})


def configuration_of(url: str) -> Configuration:
    """Give how exchangelib reaches the benchmarks' Exchange."""
    return Configuration(
        service_endpoint=url,
        credentials=Credentials("svc", "secret"),
        auth_type=BASIC,
        version=Version(Build(15, 1, 2507, 1)),
        max_connections=THREADS,
    )


def account_of(email: str, configuration: Configuration) -> Account:
    """Give the account of a mailbox, impersonated."""
    return Account(email, config=configuration, access_type=IMPERSONATION)


def _first_round(account: Account) -> list[tuple[Any, ...]]:
    changes = list(account.calendar.sync_items(only_fields=["id"], max_changes_returned=BATCH))
    ids = [(item.id, item.changekey) for _, item in changes]
    items = account.fetch(ids, only_fields=FIELDS, chunk_size=50)
    return [_row(account, item) for item in items if isinstance(item, CalendarItem)]


def _row(account: Account, item: CalendarItem) -> tuple[Any, ...]:
    values = [getattr(item, name) for name in FIELDS]
    plain = [
        each if isinstance(each, str | int | float | bool | None) else json.dumps(str(each))
        for each in values
    ]
    return (account.primary_smtp_address, item.id, item.changekey, *plain)


def idle_round(account: Account) -> int:
    """Poll from the stored sync state on; give how many changes there were."""
    folder = account.calendar
    changes = folder.sync_items(
        sync_state=folder.item_sync_state, only_fields=["id"], max_changes_returned=BATCH
    )
    return sum(1 for _ in changes)


if __name__ == "__main__":
    main()
