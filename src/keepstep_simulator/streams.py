"""Streaming: the open connections of GetStreamingEvents, envelope after envelope, in plain code.

A stream begins with an envelope that says OK, tells events as they happen, says that it is alive
when it was silent for long, and ends with an envelope that says Closed. The socket is elsewhere.
"""

from collections.abc import Callable, Iterable, Sequence
from math import inf

from keepstep_simulator.ews.envelope import EwsError
from keepstep_simulator.ews.notification_xml import (
    event_xml,
    status_xml,
    stream_envelope,
    stream_error,
    streamed,
)
from keepstep_simulator.ews.versions import ServerVersion
from keepstep_simulator.limits import Pace
from keepstep_simulator.subscriptions import Subscription
from keepstep_simulator.told import ToldLog
from keepstep_simulator.transit import (
    ASTRAY,
    DROPPED,
    FORGOTTEN,
    SILENT,
    Pick,
    Transit,
    forgotten_as,
)

MOST_EVENTS = 100
_MOST_TOGETHER = 50
_OPERATION = "GetStreamingEvents"


class Stream:
    """One open connection.

    ``budget`` is whom it counts against; ``wake`` is called when there may be something to
    ``take``; ``forget`` when the server loses a subscription, with the error code for who asks for
    it; ``over`` says that all is said, ``dropped`` that the connection breaks off.
    """

    def __init__(
        self,
        subscriptions: Iterable[Subscription],
        budget: str,
        server: ServerVersion,
        pace: Pace,
        pick: Pick,
        told: ToldLog,
        *,
        now: float,
        minutes: int,
    ) -> None:
        """Open it for ``minutes``; what happened since each was last told comes first."""
        self.lines = {each.id: each for each in subscriptions}
        self.budget = budget
        self.wake: Callable[[], None] = lambda: None
        self.forget: Callable[[Subscription, str], None] = lambda *_: None
        self.over = False
        self.dropped = False
        self._server = server
        self._pace = pace
        self._pick = pick
        self._told = told
        self._closes_at = now + minutes * pace.minute
        self._heartbeat_at = now + pace.heartbeat
        self._greeted = False
        self._silent = False
        self._dirty = dict.fromkeys(self.lines)
        self._transit: Transit[tuple[str, str]] = Transit()
        self._ending: bytes | None = None

    def changed(self, subscription: Subscription) -> None:
        """Note that something happened in the mailbox of one of its subscriptions."""
        self._dirty[subscription.id] = None
        self.wake()

    def leave(self, subscription: Subscription, why: str) -> None:
        """Serve one no more: unsubscribed, or (ErrorInvalidSubscription) spoilt by the server."""
        self.lines.pop(subscription.id, None)
        if why == "ErrorInvalidSubscription":
            self.fail(EwsError(why), [subscription.id])
        self.wake()

    def fail(self, error: EwsError, ids: Sequence[str]) -> None:
        """End with an error that blames subscriptions."""
        self._ending = stream_error(self._server, error, ids)
        self.wake()

    def drop(self) -> None:
        """Break off, as it is."""
        self.dropped = True
        self.wake()

    def next_at(self) -> float:
        """When to ``take`` again, unless ``wake`` is called before."""
        if self.over or self.dropped:
            return -inf
        if self._silent:
            return self._closes_at
        return min(self._closes_at, self._heartbeat_at, self._transit.next_at())

    def take(self, now: float) -> list[bytes]:
        """Give the envelopes to send now; the last one may be cut short (then ``dropped``)."""
        if self.over or self.dropped:
            return []
        if self._silent:
            self.dropped = now >= self._closes_at
            return []
        found = self._envelopes(now)
        if found:
            self._heartbeat_at = now + self._pace.heartbeat
        return found

    def _envelopes(self, now: float) -> list[bytes]:
        found: list[bytes] = []
        if not self._greeted:
            self._greeted = True
            if not self._say(found, stream_envelope(self._server, (), "OK"), "status"):
                return found
        notes = self._notes(now)
        for place in range(0, len(notes), _MOST_TOGETHER):
            together = notes[place : place + _MOST_TOGETHER]
            if not self._say(found, stream_envelope(self._server, together), "change"):
                return found
        if self._ending is None and (now >= self._closes_at or not self.lines):
            self._ending = stream_envelope(self._server, (), "Closed")
        if self._ending is not None:
            self.over = self._say(found, self._ending, "status")
        elif now >= self._heartbeat_at and not found:
            self._say(found, self._heartbeat(), "status")
        return found

    def _say(self, found: list[bytes], envelope: bytes, what: str) -> bool:
        """Add an envelope, whole or cut by a fault; whether the connection goes on."""
        mishap = self._pick((DROPPED, SILENT), _OPERATION, self.budget, what)
        if mishap is None:
            found.append(envelope)
            return True
        if mishap.kind == SILENT:
            self._silent = True
        else:
            self.dropped = True
            found.append(envelope[: int(len(envelope) * float(mishap.params.get("share", 0.5)))])
        return False

    def _notes(self, now: float) -> list[str]:
        """Give the notifications that arrive now, having let faults strike."""
        notes = [text for wanted, text in self._transit.late(now) if wanted in self.lines]
        dirty, self._dirty = self._dirty, {}
        for wanted in dirty:
            subscription = self.lines.get(wanted)
            while subscription is not None:
                events, position, more = subscription.fresh(MOST_EVENTS)
                subscription.position = position
                if not events:
                    break
                mailbox = subscription.mailbox
                text = streamed(wanted, "".join(event_xml(mailbox, each) for each in events))
                kinds = (*ASTRAY, FORGOTTEN)
                mishap = self._pick(kinds, _OPERATION, subscription.address, "change")
                self._told.add(subscription, [each.kind for each in events], mishap)
                if mishap is not None and mishap.kind == FORGOTTEN:
                    self.forget(subscription, forgotten_as(mishap))
                    break
                arriving = self._transit.send(wanted, (wanted, text), mishap, now)
                notes += [each for _, each in arriving]
                if not more:
                    break
        return notes

    def _heartbeat(self) -> bytes:
        signs = [streamed(each, status_xml()) for each in tuple(self.lines)]
        return stream_envelope(self._server, signs, "OK")
