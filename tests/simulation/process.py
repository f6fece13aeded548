"""A process of the product that can be killed, and frozen to go on later, at any await."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any


class Killed(BaseException):
    """The process is dead: nothing that it still runs may touch the world."""


_RUNNING: ContextVar[Process | None] = ContextVar("running", default=None)


class Process:
    """All tasks that were begun in it, and the tasks that these began.

    Whatever of it meets the world (network, database, sleep) passes `point` before and after, so
    that a dead one does nothing and a frozen one goes on where it stood.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self._awake = asyncio.Event()
        self._awake.set()
        # A dict, as a set of tasks would be gone through in the order of their addresses.
        self._tasks: dict[asyncio.Task[Any], None] = {}

    async def point(self) -> None:
        """Go on if the process lives and is awake."""
        if self.dead:
            raise Killed
        if not self._awake.is_set():
            await self._awake.wait()
            if self.dead:
                raise Killed

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return not self._awake.is_set()

    def freeze(self) -> None:
        """Let it stand still at its next point."""
        self._awake.clear()

    def thaw(self) -> None:
        """Let it go on."""
        self._awake.set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin a task of the process."""
        token = _RUNNING.set(self)
        try:
            return asyncio.get_running_loop().create_task(work)
        finally:
            _RUNNING.reset(token)

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Count a task to the process."""
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def kill(self) -> None:
        """End it between two instructions, as SIGKILL does."""
        self.dead = True
        self._awake.set()
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def idle(self) -> None:
        """Wait until no task of it runs."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))


def count_to_processes(loop: asyncio.AbstractEventLoop) -> None:
    """Make the loop count each new task to the process that begins it."""

    def make(
        loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Any = None
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
        process = _RUNNING.get() if context is None else context.get(_RUNNING)
        if process is not None:
            process.adopt(task)
        return task

    loop.set_task_factory(make)  # type: ignore[arg-type]
