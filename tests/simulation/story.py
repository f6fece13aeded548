"""One seed's story: calendars change, things go wrong, then all is calm and must be in step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from keepstep.core.skip import Policy, PrivateAppointments
from keepstep.store.models import Mailbox, Operator
from keepstep.sync.verify import Verification
from keepstep_simulator import Simulator
from keepstep_simulator.faults import Fault
from tests.simulation import checks, trouble
from tests.simulation.calendars import People
from tests.simulation.engine import Engine, Settings, Surroundings
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Weather
from tests.simulation.process import Killed, Process, count_to_processes
from tests.simulation.store import DiskTrouble, Tables, digest
from tests.simulation.trace import Trace
from tests.simulation.truth import Truth, Window
from tests.simulation.watch import Watch

# A plain day, and the evenings before two clock changes of Europe/Berlin.
EPOCHS = (
    datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
    datetime(2026, 10, 24, 20, 0, tzinfo=UTC),
    datetime(2026, 3, 28, 20, 0, tzinfo=UTC),
)
# How often the job runs, and about how long nothing happens between two steps, in seconds.
PACES = ((60, 30.0), (60, 50.0), (300, 200.0), (3600, 2_500.0), (6 * 3600, 12_000.0))
RECOVERY = timedelta(hours=9)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a seed's run ended: what differs (empty: nothing), and what tells runs apart."""

    seed: int
    differences: tuple[str, ...]
    digest: str
    requests: int
    virtual_seconds: float


class Clock:
    """The wall clock of all machines. `leap` lets it go on at once, timers of loops apart."""

    def __init__(self, loop: VirtualLoop, epoch: datetime) -> None:
        self._loop = loop
        self._epoch = epoch

    def __call__(self) -> datetime:
        return self._epoch + timedelta(seconds=self._loop.time())

    def leap(self, length: timedelta) -> None:
        self._epoch += length


def run(seed: int, tables: Tables, show: Callable[[str], object] | None = None) -> Ending:
    """Run the story of a seed; `show` is given the lines of its trace."""
    tables.empty()
    loop = VirtualLoop()
    story = Story(seed, loop, show)

    async def tell() -> None:
        tables.enter()
        await story.tell()

    try:
        loop.run_until_complete(tell())
    finally:
        loop.close()
    story.trace("tables", digest())
    return Ending(
        seed,
        tuple(story.differences),
        story.trace.digest(),
        sum(story.watch.requests.values()),
        loop.time(),
    )


class Story:
    """What one seed makes of it."""

    def __init__(self, seed: int, loop: VirtualLoop, show: Callable[[str], object] | None) -> None:
        self._random = random = Random(f"story {seed}")
        epoch = random.choice((EPOCHS[0], *EPOCHS))
        self.clock = Clock(loop, epoch)
        self.trace = Trace(loop.time, show)
        self.differences: list[str] = []
        every, self._gap = random.choice(PACES)
        private = random.choice((*["busy-only"] * 5, "skip", "full"))
        self._settings = Settings(
            policy=Policy(random.choice((180, 7, 1)), PrivateAppointments(private)),
            batch_size=random.choice((1, 2, 3, 7, 100)),
            version=random.choice(("Exchange2010", "Exchange2013", "Exchange2016")),
            connections=random.choice((1, 2, 20)),
            notification_frequency=timedelta(minutes=random.choice((1, 10, 30, 240))),
            every=timedelta(seconds=every),
        )
        self.simulator = Simulator(clock=self.clock, seed=seed)
        self.watch = Watch(self.clock, self._settings.notification_frequency)
        self.truths = self._make_mailboxes(Window(epoch))
        self.people = People(
            self.simulator, self.truths, Random(f"people {seed}"), self._gap, self.trace
        )
        # In some stories an item is made unreadable, or changes unannounced: only its next change
        # or a comparison brings it in step, so these end by one.
        self._mended = self.people.unannounced = random.random() < 0.15
        self._around = Surroundings(
            self.simulator,
            self.clock,
            Weather(),
            DiskTrouble(Random(f"disk {seed}")),
            self.trace,
            self.watch,
            Random(f"processes {seed}"),
            self._died,
        )
        self._faults: list[Fault] = []
        self._engines: list[Engine] = []
        self._named = 0
        self._recent: list[checks.Recent] = []
        loop.set_exception_handler(self._unhandled)
        count_to_processes(loop)

    def _make_mailboxes(self, window: Window) -> list[Truth]:
        truths = []
        for name in ("anna", "bruno", "clara", "deniz")[: self._random.choice((2, 2, 3, 4))]:
            email = f"{name}@example.com"
            model = self.simulator.add_mailbox(email, time_zone="Europe/Berlin")
            operator = Operator.objects.create(
                email=email, name=name, calendar_sync=True, time_zone="Europe/Berlin"
            )
            mailbox = Mailbox.objects.create(operator=operator)
            self.watch.emails[mailbox.pk] = email
            truths.append(
                Truth(model, mailbox.pk, window, self._settings.policy.private_appointments)
            )
        return truths

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        if not isinstance(error, Killed):
            self.differences.append(f"unhandled: {context['message']}: {error!r}")

    # The story

    async def tell(self) -> None:
        """Tell it to its end, and compare."""
        for truth in self.truths:
            self.people.fill(truth, self._random.randrange(7))
        self.people.note()
        self.began = self.clock()
        self._start_engine()
        for _ in range(self._random.randint(5, 12)):
            await asyncio.sleep(self._random.expovariate(1 / self._gap))
            await self._step()
            await self._bury()
        await self._calm_down()
        await self._recover()
        self.differences += self.watch.wrong

    async def _step(self) -> None:
        steps: list[tuple[int, Callable[[], object]]] = [
            (20, self.people.act),
            (6, self._begin_trouble),
            (4, self._end_trouble),
            (2, self._bad_weather),
            (2, self._disk_trouble),
            (2, self._kill_and_restart),
            (1, self._freeze),
            (1, self._thaw),
            (1, self._forget_states),
            (1, self._leap),
            (1, self._command),
            (1, self._verify),
            (1, self._look),
        ]
        for _ in range(self._random.choice((1, 1, 2, 4))):
            (step,) = self._random.choices(
                [step for _, step in steps], [weight for weight, _ in steps]
            )
            result = step()
            if asyncio.iscoroutine(result):
                await result

    def _begin_trouble(self) -> None:
        emails = [truth.mailbox.email for truth in self.truths]
        fault = trouble.draw(self._random, emails, mended=self._mended)
        self._faults.append(fault)
        self.simulator.faults.add(fault)
        self.trace("trouble", fault)

    def _end_trouble(self) -> None:
        if self._faults:
            fault = self._faults.pop(self._random.randrange(len(self._faults)))
            trouble.stop(fault)
            self.trace("trouble ends", fault)

    def _bad_weather(self) -> None:
        weather = self._around.weather
        weather.lost = self._random.choice((0.0, 0.1, 0.5))
        weather.slow = self._random.choice((0.0, 0.1, 0.5))
        self.trace("network", weather)

    def _disk_trouble(self) -> None:
        disk = self._around.disk
        disk.errors = self._random.choice((0.0, 0.1))
        disk.kills = self._random.choice((0.0, 0.05))
        self.trace("disk", disk.errors, disk.kills)

    def _forget_states(self) -> None:
        mailbox = self._random.choice(self.truths).mailbox
        mailbox.forget_sync_states()
        self.trace("Exchange forgets the states of", mailbox.email)

    def _leap(self) -> None:
        length = self._random.choice(
            (timedelta(minutes=5), 2 * self._settings.notification_frequency)
        )
        self.clock.leap(length)
        self.trace("the clock leaps by", length)

    def _look(self) -> None:
        self._recent += [checks.look(truth, self.clock()) for truth in self.truths]

    # Processes

    def _start_engine(self) -> Engine:
        engine = self._new_engine("serve")
        engine.serve()
        self._engines.append(engine)
        return engine

    def _new_engine(self, kind: str) -> Engine:
        self._named += 1
        engine = Engine(f"{kind} {self._named}", self._settings, self._around)
        self.trace(engine.process.name, "starts")
        return engine

    def _died(self, process: Process) -> None:
        self.trace(process.name, "died")

    async def _bury(self) -> None:
        """End what is left of those that died by themselves, and start a successor."""
        for engine in [each for each in self._engines if each.process.dead]:
            await engine.process.kill()
            self._engines.remove(engine)
        if not any(each.serves and not each.process.frozen for each in self._engines):
            self._start_engine()

    async def _kill_and_restart(self) -> None:
        engine = self._random.choice(self._engines)
        self.trace(engine.process.name, "is killed")
        await engine.process.kill()

    def _freeze(self) -> None:
        engine = self._random.choice(self._engines)
        self.trace(engine.process.name, "freezes")
        engine.process.freeze()

    def _thaw(self) -> None:
        for engine in self._engines:
            if engine.process.frozen:
                self.trace(engine.process.name, "goes on")
                engine.process.thaw()

    def _command(self) -> None:
        engine = self._new_engine("sync")
        engine.process.start(engine.command(full=self._random.random() < 0.4))
        self._engines.append(engine)

    def _verify(self) -> None:
        engine = self._new_engine("verify")
        engine.process.start(engine.tick(verification=Verification()))
        self._engines.append(engine)

    # The end

    async def _calm_down(self) -> None:
        """Let nothing go wrong any more, and let all that is under way come to its end."""
        self.trace("calm")
        for fault in self._faults:
            trouble.stop(fault)
        weather, disk = self._around.weather, self._around.disk
        weather.lost = weather.slow = disk.errors = disk.kills = 0.0
        self._thaw()
        for engine in self._engines:
            engine.stop()
            await asyncio.wait_for(engine.process.idle(), RECOVERY.total_seconds())
        self._engines.clear()
        self.people.note()

    async def _recover(self) -> None:
        engine = self._new_engine("serve")
        calm = self.clock()
        boundaries = await self._until_in_step(engine, calm)
        if boundaries is None:
            return
        strict = not (self._mended or self.watch.set_aside)
        if strict:
            self._compare(boundaries)
        else:
            await checks.comparison(engine)
            self._compare({truth.id: checks.boundary(truth) for truth in self.truths})
        self.differences += await checks.idle_rounds(self, engine)
        self.differences += checks.told(self.watch)

    def _compare(self, boundaries: dict[int, datetime]) -> None:
        for truth in self.truths:
            self.differences += checks.compare(truth, boundaries[truth.id], self.began, self.watch)
        for recent in self._recent:
            self.differences += checks.stands(recent)

    async def _until_in_step(self, engine: Engine, calm: datetime) -> dict[int, datetime] | None:
        """Run the job until each mailbox had a clean round; give the boundaries of the last."""
        while self.clock() < calm + RECOVERY:
            boundaries = {truth.id: checks.boundary(truth) for truth in self.truths}
            await engine.tick()
            rows = list(Mailbox.objects.order_by("id"))
            if all(row.last_success and row.last_success >= calm for row in rows):
                return boundaries
            due = [row.next_attempt or self.clock() for row in rows]
            await asyncio.sleep(max(1.0, (max(due) - self.clock()).total_seconds()))
        self.differences.append(f"not in step {RECOVERY} after all is well again")
        return None
