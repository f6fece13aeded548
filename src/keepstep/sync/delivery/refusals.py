"""Which ways of delivery the server does not serve by now, and for how long that is believed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from keepstep.core.delivery import Way
from keepstep.store.subscriptions import Trouble

WAY_PAUSE = timedelta(hours=1)


class Refusals:
    """Ways that were refused, each until it is to be tried again. Instants are UTC."""

    def __init__(self) -> None:
        self._refused: dict[Way, tuple[Trouble, datetime]] = {}

    def __contains__(self, way: Way) -> bool:
        return way in self._refused

    def add(self, trouble: Trouble, now: datetime) -> None:
        """Believe it of a way from now on."""
        self._refused[trouble.way] = (trouble, now + WAY_PAUSE)

    def standing(self, now: datetime) -> Sequence[Way]:
        """Give the ways that are not to be tried now; what was long ago is forgotten."""
        self._refused = {way: it for way, it in self._refused.items() if it[1] > now}
        return tuple(self._refused)

    def clear(self) -> None:
        """Forget all: with other settings each may serve."""
        self._refused.clear()

    @property
    def troubles(self) -> list[Trouble]:
        """Give what was refused, and why."""
        return [trouble for trouble, _ in self._refused.values()]
