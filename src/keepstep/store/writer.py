"""The one thread of a process that writes.

The event loop never waits for the database: what it wants done is called here, one call after
another, on one connection. Pages and commands read by connections of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection, connections

from keepstep.core.errors import StoreError

P = ParamSpec("P")
T = TypeVar("T")


class Writer:
    """Runs functions of the store in its thread. A context manager: leaving it ends the thread."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keepstep-writer")

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Give what the function gives. Raises StoreError where the database can't be used."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: guarded(function, *args, **kwargs))

    def close(self) -> None:
        """Wait for the call under way, close the connection, end the thread."""
        self._pool.submit(connections.close_all).result()
        self._pool.shutdown()

    async def __aenter__(self) -> Writer:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.close)


def guarded(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function; a failure of the database becomes a StoreError, with a new connection."""
    try:
        return function(*args, **kwargs)
    except (OperationalError, InterfaceError) as error:
        connection.close()
        raise StoreError("database-unavailable", str(error).strip().split("\n")[0]) from error
