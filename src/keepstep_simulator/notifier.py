"""Everything that the server tells unasked: subscriptions, what is pushed, what is streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from keepstep_simulator.ews.envelope import EwsError, EwsFault
from keepstep_simulator.ews.versions import ServerVersion
from keepstep_simulator.faults import Faults
from keepstep_simulator.limits import Limits, Pace
from keepstep_simulator.pushes import Pushes
from keepstep_simulator.streams import Stream
from keepstep_simulator.subscriptions import PUSH, Subscription, Subscriptions
from keepstep_simulator.told import ToldLog


class Notifier:
    """The subscriptions of a server and what is sent for them.

    ``limits`` may be changed at any time; ``told`` is a log for tests; ``streams`` are the open
    ones. Everything here happens in one thread, that of whoever sends.
    """

    def __init__(
        self,
        server: ServerVersion,
        limits: Limits,
        pace: Pace,
        faults: Faults,
        *,
        clock: Callable[[], datetime],
        seed: int,
        log_limit: int,
    ) -> None:
        """Take the version, limits, pace and faults, the clock (UTC) and the seed for ids."""
        self.limits = limits
        self.pace = pace
        self.told = ToldLog(clock, log_limit)
        self.streams: set[Stream] = set()
        self.subscriptions = Subscriptions(seed)
        self.subscriptions.over = self._ended
        self._server = server
        self._pick = faults.pick_mishap
        self.pushes = Pushes(pace, self._pick, self.told, lambda: int(clock().timestamp()))
        self.pushes.gone = self.subscriptions.end

    def subscribe(self, subscription: Subscription, now: float) -> None:
        """Take one on. Raises EwsError (ErrorExceededSubscriptionCount)."""
        self.subscriptions.add(subscription, self.limits, self.pace, now)
        if subscription.way == PUSH:
            self.pushes.add(subscription, now)

    def changed(self, address: str, now: float) -> None:
        """Note that something happened in a mailbox (address in lower case)."""
        for each in self.subscriptions.of(address):
            if each.way == PUSH:
                self.pushes.changed(each, now)
            elif each.stream is not None:
                each.stream.changed(each)

    def open_stream(
        self, subscriptions: Iterable[Subscription], budget: str, minutes: int, now: float
    ) -> Stream:
        """Open a connection at the expense of ``budget`` (an address in lower case).

        A connection that served one of the subscriptions before is closed by the server. Raises
        EwsFault (ErrorExceededConnectionCount).
        """
        wanted = list(subscriptions)
        before = {each.stream for each in wanted if each.stream is not None}
        for stream in before:
            mine = [each.id for each in wanted if each.stream is stream]
            stream.fail(EwsError("ErrorNewEventStreamConnectionOpened"), mine)
            self.close_stream(stream, now)
        if sum(1 for each in self.streams if each.budget == budget) >= self.limits.streams:
            raise EwsFault(
                "ErrorExceededConnectionCount",
                Policy="MaxStreamingConcurrency",
                MaxStreamingConcurrencyLimit=self.limits.streams,
            )
        stream = Stream(
            wanted,
            budget,
            self._server,
            self.pace,
            self._pick,
            self.told,
            now=now,
            minutes=minutes,
        )
        stream.forget = self.subscriptions.end
        for each in wanted:
            each.stream = stream
        self.streams.add(stream)
        return stream

    def close_stream(self, stream: Stream, now: float) -> None:
        """Note that a connection has ended, however it did."""
        self.streams.discard(stream)
        for each in stream.lines.values():
            if each.stream is stream:
                each.stream = None
                each.attended = now

    def drop_streams(self) -> int:
        """Break all open connections off; gives how many."""
        for each in tuple(self.streams):
            each.drop()
        return len(self.streams)

    def forget(self, address: str | None = None, why: str = "ErrorSubscriptionNotFound") -> int:
        """Lose the subscriptions of a mailbox, or all, as a restarted server does.

        Who asks for them then gets ``why``; with ErrorInvalidSubscription, open connections are
        told. Gives how many were lost.
        """
        lost = [each for each in self.subscriptions if address in (None, each.address)]
        for each in lost:
            self.subscriptions.end(each, why)
        return len(lost)

    def _ended(self, subscription: Subscription, why: str) -> None:
        self.pushes.remove(subscription)
        if subscription.stream is not None:
            subscription.stream.leave(subscription, why)
            subscription.stream = None
