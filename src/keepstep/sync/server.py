"""`keepstep serve`: pages, scheduler and workers in one process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import uvicorn
from asgiref.typing import ASGIApplication

from keepstep.core.errors import UsageError
from keepstep.sync.delivery.front import Front
from keepstep.sync.fleet.fleet import fleet_of
from keepstep.sync.scheduler import Scheduler

STOP_SECONDS = 10


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: one place decides when all of it ends."""

    def install_signal_handlers(self) -> None:
        return


def serve(
    host: str,
    port: int,
    application: Callable[[Front], ASGIApplication],
    begun: Callable[[], None] = lambda: None,
) -> int:
    """Serve until SIGTERM or SIGINT, then end within 15 seconds; give the exit status.

    `application` gives what answers at the address, from the desk at which pushed notifications
    arrive. `begun` is called when the address is listened on. Raises UsageError where it can't be.
    """
    return asyncio.run(_serve(host, port, application, begun))


async def _serve(
    host: str,
    port: int,
    application: Callable[[Front], ASGIApplication],
    begun: Callable[[], None],
) -> int:
    scheduler = Scheduler(fleet_of("serve"))
    config = uvicorn.Config(
        application(scheduler.front),
        host=host,
        port=port,
        log_config=None,
        access_log=False,  # an address of the listener is a secret
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    try:
        listening = config.bind_socket()
    except SystemExit:
        raise UsageError(
            f"Can't listen on {host}:{port}: the address is in use or not ours."
        ) from None
    server = _Server(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    begun()
    tasks = [
        asyncio.create_task(server.serve(sockets=[listening])),
        asyncio.create_task(scheduler.run()),
        asyncio.create_task(stop.wait()),
    ]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    scheduler.stop()
    stop.set()
    await asyncio.wait(tasks, timeout=STOP_SECONDS)
    for task in done:
        task.result()
    return 0
