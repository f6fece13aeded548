"""A Keepstep in use, for tests and pictures: a team in step with a simulated Exchange, all roles,
a mailbox that fails, removals that are held, an item set aside, a day of runs.

`python -m tests.web.filled URL` fills the data directory KEEPSTEP_HOME from the Exchange at URL,
by the functions of the product; `running` does that and serves it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from playwright.sync_api import Page

from keepstep_simulator import Fault, Simulator, SimulatorThread
from tests.system.product import Keepstep
from tests.web import team
from tests.web.site import ADMINISTRATOR, AUDITOR, OPERATOR, PASSWORD, Site, serving

ROOT = Path(__file__).parents[2]
LONGEST = 60
BETWEEN_RUNS = timedelta(minutes=10)
SHIPPED = "CalendarSynchronization"


@dataclass(frozen=True, slots=True)
class Filled:
    """A running server, and the Exchange behind it."""

    site: Site
    exchange: SimulatorThread

    def enter(self, page: Page, email: str = ADMINISTRATOR) -> None:
        """Sign somebody in by password: all three have the same."""
        enter(page, email)


def enter(page: Page, email: str = ADMINISTRATOR) -> None:
    """Sign somebody in by the password."""
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


@contextmanager
def running(folder: Path) -> Iterator[Filled]:
    """Fill a data directory below `folder` and serve it while the block runs."""
    exchange = SimulatorThread(team.simulator())
    with exchange:
        _spoil_one(exchange.simulator)
        prepared = fill(folder / "filled", exchange.url)
        exchange.simulator.faults.clear()
        team.delete_most(exchange.simulator, team.MAYA)
        Keepstep(prepared).run("sync", "--operator", team.MAYA.email)
        with serving(prepared, folder / "served") as site:
            yield Filled(site, exchange)


def fill(home: Path, url: str) -> Path:
    """Fill a new data directory from the Exchange at `url`; give it."""
    home.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-m", "tests.web.filled", url],
        cwd=ROOT,
        env=Keepstep(home).environment,
        check=True,
        timeout=LONGEST,
    )
    return home


def _spoil_one(exchange: Simulator) -> None:
    items = exchange.mailboxes[team.JONAS.email].items()
    item = next(each for each in items if each.start > datetime.now(UTC))
    spoils = Fault("poisoned", "GetItem", team.JONAS.email, times=None, item_id=item.id)
    exchange.faults.add(spoils)


def _fill(url: str) -> None:
    from keepstep.cli.database import start_django

    start_django()
    from keepstep.environment import home
    from keepstep.store import imports, jobs, settings
    from keepstep.store.upgrade import require_current
    from keepstep.sync.service import sync_now

    require_current()
    account = {"username": "svc", "password": "secret", "exchange_version": "Exchange2016"}
    server = {"exchange_url": url, "calendar_integration": "on"}
    settings.change({**account, **server}, by=ADMINISTRATOR)
    settings.change({"notify_sync_failure_to": "it@example.com"}, by=ADMINISTRATOR)
    service = {"sso_issuer": "https://sign-in.example.com/realms/sales", "sso_name": "Example Ltd"}
    settings.change({**service, "sso_client_id": "keepstep"}, by=ADMINISTRATOR)
    file = home() / "operators.csv"
    file.write_text(team.csv(), encoding="utf-8")
    imports.import_operators(file, by=ADMINISTRATOR)
    _accounts()
    jobs.change(SHIPPED, {"schedule": str(BETWEEN_RUNS.seconds // 60)}, by=ADMINISTRATOR)
    jobs.switch(SHIPPED, on=True, by=ADMINISTRATOR)
    sync_now(None)
    _other_systems(datetime.now(UTC))
    _yesterday(datetime.now(UTC), Random(5))


def _accounts() -> None:
    from keepstep.core.roles import Role
    from keepstep.store import accounts

    accounts.create(ADMINISTRATOR, Role.ADMINISTRATOR, PASSWORD)
    accounts.create(OPERATOR, Role.OPERATOR, PASSWORD, by=ADMINISTRATOR)
    accounts.create(AUDITOR, Role.AUDITOR, PASSWORD, by=ADMINISTRATOR)


def _other_systems(now: datetime) -> None:
    """Add tokens, and a webhook whose receiver did not take everything."""
    from keepstep.store import accounts, deliveries, settings, tokens, webhooks
    from keepstep.store.models import Mailbox

    account = accounts.find(ADMINISTRATOR)
    for name, days in (("CRM", 90), ("Report", None)):
        tokens.make(account, name, ["read-calendar", "read-operators"], now, days=days)
    settings.change({"webhook_private_targets": "on"}, by=ADMINISTRATOR)
    url = "http://127.0.0.1:9/hooks/keepstep"
    number, _secret = webhooks.add(url, ["created", "removed"], now, by=ADMINISTRATOR)
    webhooks.change(number, enabled=False, by=ADMINISTRATOR)
    body = {"operator_id": 1, "events": [{}] * 3}
    waiting = {"webhook_id": number, "created_at": now, "body": body}
    for mailbox, attempts in zip(Mailbox.objects.all()[:2], (3, 25), strict=True):
        made = deliveries.Delivery.objects.create(
            **waiting, mailbox=mailbox, attempts=attempts - 1, next_attempt=now
        )
        due = deliveries.Due(made.pk, body, attempts - 1)
        deliveries.note_failed(due, "answered with status 503", now, 0.5)


def _yesterday(now: datetime, random: Random) -> None:
    """Add what a day of runs leaves behind: the charts of the health page are drawn from it."""
    from keepstep.store.models import Run, Sample

    runs, samples = [], []
    for number in range(1, 144):
        at = now - number * BETWEEN_RUNS
        busy = 7 <= at.hour <= 17
        counts = {"created": random.randint(0, 3), "updated": random.randint(0, 4)}
        runs.append(
            Run(
                job=SHIPPED,
                trigger="schedule",
                started=at,
                finished=at + timedelta(seconds=random.uniform(1, 3)),
                mailboxes=9,
                succeeded=9,
                requests=9 + sum(counts.values()),
                **(counts if busy else {}),
            )
        )
        behind = random.uniform(300, 640)
        samples.append(Sample(at=at, mailboxes=9, failing=0, slowest=behind * 1.05, most=behind))
    Run.objects.bulk_create(reversed(runs))
    Sample.objects.bulk_create(samples)


if __name__ == "__main__":
    _fill(sys.argv[1])
