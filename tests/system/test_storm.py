"""A storm over fifty mailboxes: when it is over all are in step, and nobody was bothered."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random, SystemRandom

import pytest

from keepstep.core.breaker import SHARED
from keepstep.core.doubt import MOST_PAGES_WITHOUT_A_NEW_ITEM
from keepstep.core.failures import FAILURES
from keepstep.core.lockout import SIGN_IN_REFUSED
from keepstep.core.skip import Policy
from keepstep.exchange.ews.connector import EwsConnector
from keepstep.exchange.ews.sign_in import BasicSignIn
from keepstep.exchange.ews.transport import HttpTransport
from keepstep.exchange.ews.web import Limits
from keepstep.store.models import Mail, Mailbox, Quarantine
from keepstep.store.settings import ApplicationSettings
from keepstep.sync.guard import Guard
from keepstep.sync.round import Means
from keepstep.sync.run import RunResult
from keepstep_simulator import Simulator, serving
from keepstep_simulator.faults import KINDS as ALL_KINDS
from keepstep_simulator.items import Recurrence
from keepstep_simulator.live import Life
from keepstep_simulator.logbook import LogEntry
from keepstep_simulator.transit import MISHAPS
from tests.engine import NOW, Clock, add_operator
from tests.mail_server import MailServer, parts
from tests.office import TO, Office
from tests.oracle import Oracle, assert_in_step
from tests.system.weather import OF_ITEMS, Weather

pytestmark = pytest.mark.usefixtures("database")

SOAK = bool(os.environ.get("KEEPSTEP_SOAK"))
MAILBOXES = 50
ROUNDS = 200 if SOAK else 20
BATCH = 4
ADDRESS = re.compile(r"m\d\d@example\.com")
NAMED = re.compile(r"(m\d\d@example\.com), since (\d{4}-\d\d-\d\d \d\d:\d\d) UTC")
FREQUENCY = timedelta(minutes=5)
GATHERING = timedelta(minutes=1)
# What is changed begins later than the storm can last: of what ends while a server tells
# untruths, other tests decide.
BEYOND = timedelta(days=1)
QUICK = Limits(connect_seconds=2, total_seconds=0.8, answer_bytes=300_000)
PATIENT = Limits(answer_bytes=300_000)
# What a page of appointments may cost beside itself: the items, their occurrences, both's bodies.
READS_OF_A_PAGE = 4


def seed() -> int:
    """Give the seed of this storm: a fixed one in the tests of a change, a new one in a soak."""
    given = os.environ.get("KEEPSTEP_STORM_SEED")
    return int(given) if given else SystemRandom().randrange(10**6) if SOAK else 7


class Later:
    """A simulator as it looks to whoever changes nothing that begins within a day."""

    def __init__(self, simulator: Simulator) -> None:
        self.mailboxes = simulator.mailboxes
        self.seed = simulator.seed
        self.deliver = simulator.deliver
        self.clock = lambda: simulator.clock() + BEYOND


class Storm(Office):
    """Keepstep at work on real sockets."""

    def __init__(self, simulator: Simulator, clock: Clock, url: str, mails: MailServer) -> None:
        settings = ApplicationSettings(
            notify_sync_failure_to=TO,
            notification_frequency=int(FREQUENCY / timedelta(minutes=1)),
            smtp_host="127.0.0.1",
            smtp_port=mails.port,
            smtp_from="keepstep@sales.example.com",
        )
        self.url = url
        self.limits = QUICK
        super().__init__(simulator, clock, settings)

    def start_anew(self) -> None:
        self.guard = Guard(self.account, lambda: 0.0)
        sign_in = BasicSignIn(self.simulator.username, self.simulator.password)
        transport = HttpTransport(self.url, sign_in, limits=self.limits)
        self._stack.push_async_callback(transport.close)
        connector = EwsConnector(transport, "Exchange2013", now=self.clock)
        self.means = Means(connector, self.writer, self.clock, Policy(), BATCH)


@dataclass
class Patience:
    """When a mailbox may be tried again, worked out anew from the policy.

    Pauses double from 15 s to 15 minutes; past the notification frequency they are the longest
    one; a pause that Exchange named is kept. The trouble of all has pauses of its own.
    """

    failures: int = 0
    since: datetime | None = None
    earliest: datetime = NOW

    def succeed(self) -> None:
        self.failures, self.since = 0, None

    def fail(self, at: datetime, code: str, pause: timedelta, *, with_all: bool) -> None:
        self.failures += 1
        self.since = self.since or at
        if at - self.since >= FREQUENCY:
            least = timedelta(minutes=15 if FAILURES[code].passes_by_itself else 60)
        else:
            least = min(timedelta(seconds=15) * 2 ** (self.failures - 1), timedelta(minutes=15))
        if with_all and code in SHARED | {SIGN_IN_REFUSED}:
            least = timedelta(0)
        self.earliest = at + max(least, pause)


@dataclass
class Ledger:
    """What was seen of the storm, run by run."""

    clock: Clock
    simulator: Simulator
    weather: Weather
    patience: dict[str, Patience]
    oracles: dict[str, Oracle]
    succeeded: dict[str, datetime] = field(default_factory=dict)
    seen: int = 0
    spared: int = 0
    impatient: list[str] = field(default_factory=list)
    restless: list[str] = field(default_factory=list)
    to_be_named: set[tuple[str, str]] = field(default_factory=set)
    may_be_named: set[tuple[str, str]] = field(default_factory=set)

    def note(self, began: datetime, result: RunResult) -> None:
        """Take note of a run: who was asked, who came in step, who has failed for how long."""
        entries = list(self.simulator.log)[self.seen :]
        self.seen += len(entries)
        asked = Counter(each.mailbox or "" for each in entries)
        self._check_requests(began, entries)
        for email, patience in self.patience.items():
            self.spared += began < patience.earliest and email not in asked
            if began < patience.earliest and email in asked:
                self.impatient.append(f"{email} at {began}, before {patience.earliest}")
        with_all = any("is paused" in each["message"] for each in result.failures)
        for row in Mailbox.objects.select_related("operator"):
            email = row.operator.email
            self._in_step(email, row)
            if row.failing_since is None:
                self.patience[email].succeed()
                continue
            if email in asked:
                trouble = self.weather.troubles.get(email)
                pause = trouble.pause if trouble else timedelta(0)
                self.patience[email].fail(began, row.failure_code, pause, with_all=with_all)
            elapsed = self.clock() - row.failing_since
            episode = email, f"{row.failing_since:%Y-%m-%d %H:%M}"
            if elapsed >= FREQUENCY:
                self.may_be_named.add(episode)
            if elapsed >= FREQUENCY + GATHERING:
                self.to_be_named.add(episode)

    def _check_requests(self, began: datetime, entries: list[LogEntry]) -> None:
        """Doubt begins one full round; a listing without end is left after 20 pages in vain."""
        listings = Counter(e.mailbox for e in entries if e.operation == "SyncFolderItems")
        others = Counter(e.mailbox for e in entries if e.operation != "SyncFolderItems")
        for email, mailbox in self.simulator.mailboxes.items():
            pages = len(mailbox) // BATCH + 2
            most = 2 * (pages + MOST_PAGES_WITHOUT_A_NEW_ITEM)
            reads = 1 + 2 * READS_OF_A_PAGE * pages
            if listings[email] > most or others[email] > reads:
                self.restless.append(f"{email} at {began}: {listings[email]}, {others[email]}")

    def _in_step(self, email: str, row: Mailbox) -> None:
        if row.last_success is not None and row.last_success != self.succeeded.get(email):
            self.oracles[email].begin(row.cutoff + Policy().past)
            self.oracles[email].succeed(row.last_success)
            self.succeeded[email] = row.last_success


def populate(simulator: Simulator, random: Random) -> None:
    """Give each mailbox appointments that are over, that end in the storm, and that are ahead."""
    for number in range(MAILBOXES):
        email = f"m{number:02}@example.com"
        mailbox = simulator.add_mailbox(email)
        add_operator(email)
        for days in (-200, -20, 0, random.randint(2, 9), random.randint(10, 40)):
            start = NOW + timedelta(days=days, minutes=random.randint(1, 30))
            end = start + timedelta(minutes=random.choice((15, 30, 60)))
            mailbox.create(subject=f"Visit {days}", location="Berlin", start=start, end=end)
        for days, kind in ((-30, "daily"), (-15, "weekly"), (3, "daily")):
            start = NOW.replace(hour=random.randint(6, 18)) + timedelta(days=days)
            given = {"days": (start.strftime("%A"),)} if kind == "weekly" else {}
            interval = random.randint(1, 2) if kind == "weekly" else random.randint(4, 9)
            pattern = Recurrence(kind, start.date(), interval, **given)
            end = start + timedelta(hours=1)
            mailbox.create(subject=f"Series {kind}", start=start, end=end, recurrence=pattern)


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


async def test_after_a_storm_all_is_in_step_and_each_trouble_was_told_once(
    mails: MailServer,
) -> None:
    number = seed()
    print(f"The storm's seed: KEEPSTEP_STORM_SEED={number}")
    random, clock = Random(number), Clock()
    simulator = Simulator(clock=clock, seed=number)
    populate(simulator, random)
    life = Life(Later(simulator))  # type: ignore[arg-type]
    weather = Weather(random)
    ledger = Ledger(
        clock,
        simulator,
        weather,
        {email: Patience() for email in simulator.mailboxes},
        {email: Oracle(mailbox) for email, mailbox in simulator.mailboxes.items()},
    )
    async with serving(simulator) as url, Storm(simulator, clock, url, mails) as storm:
        for _ in range(ROUNDS):
            life.step(random.randint(5, 20))
            weather.change(simulator.mailboxes.values(), ledger.succeeded, clock())
            simulator.faults.clear()
            simulator.faults.add(*weather.faults())
            began = clock()
            ledger.note(began, await storm.run())
            await storm.send()
            clock.go(seconds=random.randint(40, 180))
        await the_storm_is_over(storm, ledger)
    struck = set().union(*map(kinds_of, simulator.log))
    assert struck == ALL_KINDS - set(MISHAPS)  # nothing is subscribed to here
    assert (ledger.impatient, ledger.restless) == ([], [])
    assert ledger.spared > ROUNDS
    assert_told_once(mails, ledger)


def kinds_of(entry: LogEntry) -> set[str]:
    """Give the kinds of the faults that struck a request."""
    return set(entry.fault.split("+")) if entry.fault else set()


def owners_save_what_is_set_aside(simulator: Simulator) -> None:
    """Do what the remedy says, where an item was unreadable or had lost its UID."""
    struck = {
        each.mailbox for each in simulator.log if OF_ITEMS & set((each.fault or "").split("+"))
    }
    for email in struck:
        mailbox = simulator.mailboxes[email]
        for item in mailbox.items():
            mailbox.update(item.id, location="Saved", keep_exceptions=True)


async def the_storm_is_over(storm: Storm, ledger: Ledger) -> None:
    """One clean round, as `keepstep sync` makes it, and all are in step."""
    simulator, clock = storm.simulator, storm.clock
    simulator.faults.clear()
    ledger.weather.troubles.clear()
    owners_save_what_is_set_aside(simulator)
    clock.go(minutes=20)
    # The command waits for Exchange's pauses alone.
    ledger.patience = {email: Patience() for email in ledger.patience}
    storm.limits = PATIENT
    storm.start_anew()
    result = await storm.run(by_command=True)
    await storm.send()
    assert (result.succeeded, result.failed) == (MAILBOXES, 0), result.failures
    ledger.note(clock(), result)
    for email, oracle in ledger.oracles.items():
        assert_in_step(oracle, email, clock())
    assert not Quarantine.objects.exists()


def assert_told_once(mails: MailServer, ledger: Ledger) -> None:
    """Each episode is named in one failure e-mail, and each of these has its recovery e-mail."""
    failures = [each for each in mails.mails if "synchronization failed" in each["Subject"]]
    recoveries = [each for each in mails.mails if "works again" in each["Subject"]]
    assert len(failures) + len(recoveries) == len(mails.mails)
    assert len(failures) == len(recoveries) > 0
    told = Counter(each for mail in failures for each in NAMED.findall(parts(mail)[0]))
    assert ledger.to_be_named
    assert ledger.to_be_named <= told.keys() <= ledger.may_be_named
    assert set(told.values()) == {1}
    assert Counter(ADDRESS.findall("".join(parts(each)[0] for each in recoveries))) == Counter(
        email for email, _ in told
    )
    assert not Mail.objects.filter(sent=None).exists()
