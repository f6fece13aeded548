"""The simulator as a command runs it: with the machine's clock, until it is stopped."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from keepstep_simulator.limits import Pace
from keepstep_simulator.live import Life
from keepstep_simulator.server import serving
from keepstep_simulator.simulator import Simulator


def run(
    bind: str = "127.0.0.1:8025",
    mailboxes: int = 5,
    seed: int = 0,
    *,
    items_each: int = 60,
    version: str = "Exchange2016",
    username: str = "svc",
    password: str = "secret",  # noqa: S107 - the stand-in's, known to all
    live_every: float | None = None,
    control: bool = False,
    pace: Pace = Pace(),  # noqa: B008 - it cannot be changed
    back_ends: int = 1,
    say: Callable[[str], None] = print,
) -> None:
    """Serve seeded mailboxes on ``HOST:PORT`` until interrupted.

    ``live_every`` seconds a change happens in some calendar, and is told through ``say``; ``pace``
    and ``back_ends`` are the simulator's. Raises
    OSError if the address is taken, ValueError if it is none.
    """
    host, _, port = bind.rpartition(":")
    simulator = Simulator(
        clock=lambda: datetime.now(UTC),
        seed=seed,
        username=username,
        password=password,
        version=version,
        pace=pace,
        back_ends=back_ends,
    )
    simulator.seed_calendars(mailboxes, items_each)
    address = (host.strip("[]") or "127.0.0.1", int(port))
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(simulator, address, live_every=live_every, control=control, say=say))


async def serve(
    simulator: Simulator,
    address: tuple[str, int],
    *,
    live_every: float | None = None,
    control: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Serve a simulator at (host, port) until cancelled, telling what there is and happens."""
    async with serving(simulator, *address, control=control) as url:
        say(f"Exchange stand-in ({simulator.version.name}) at {url}")
        for mailbox in simulator.mailboxes.values():
            say(f"  {mailbox.email}  {mailbox.name}  {len(mailbox)} appointments")
        life = Life(simulator)
        while True:
            await asyncio.sleep(3600 if live_every is None else live_every)
            if live_every is not None:
                for deed in life.step():
                    say(f"{deed.at:%H:%M:%S} {deed.mailbox} {deed.what}: {deed.subject}")
