"""Push: what to post to which listener when, and what becomes of it. The posting is elsewhere.

A subscription has one post under way at a time; what happens meanwhile waits. Each brings the
events since the last one answered with OK, or, where StatusFrequency has passed without any, a sign
of life. A listener that does not answer is tried again half a minute after the first try, then
after one, two, four... minutes, until StatusFrequency has passed: then the subscription is gone.
Source: the reference of StatusFrequency in the documentation of EWS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from math import inf

from lxml import etree

from keepstep_simulator.ews.envelope import M, S
from keepstep_simulator.ews.notification_xml import (
    event_xml,
    send_notification,
    status_xml,
    watermark_at,
)
from keepstep_simulator.limits import Pace
from keepstep_simulator.news import Event
from keepstep_simulator.subscriptions import Subscription
from keepstep_simulator.told import ToldLog
from keepstep_simulator.transit import (
    ASTRAY,
    BARE,
    FORGOTTEN,
    GONE,
    REFUSED,
    Mishap,
    Pick,
    Transit,
    forgotten_as,
)

MOST_EVENTS = 50
"""How many events one notification tells; MoreEvents says that others follow."""

OK, UNSUBSCRIBE, FAILED = "ok", "unsubscribe", "failed"
LARGEST_WORD = 64 * 1024
"""How many bytes a listener may answer with."""

_OPERATION = "SendNotification"


@dataclass(frozen=True, slots=True, eq=False)
class Post:
    """One SendNotification to post to ``url``.

    ``position`` is that of the subscription once it is answered; one that is not ``tracked`` is a
    stray: nobody waits for its answer.
    """

    subscription: Subscription
    url: str
    body: bytes
    position: int
    tracked: bool = True


@dataclass(slots=True, eq=False)
class _Line:
    subscription: Subscription
    status_at: float
    due: float = inf
    busy: bool = False
    failing_since: float | None = None
    retries: int = 0
    afterwards: list[Post] = field(default_factory=list)


def outcome_of(status: int, body: bytes) -> str:
    """Give what a listener's HTTP answer says: OK, UNSUBSCRIBE, or (no proper answer) FAILED."""
    if status != 200 or len(body) > LARGEST_WORD:
        return FAILED
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return FAILED
    path = f"{S}Body/{M}SendNotificationResult/{M}SubscriptionStatus"
    word = root.findtext(path) if root.tag == S + "Envelope" else None
    return {"OK": OK, "Unsubscribe": UNSUBSCRIBE}.get((word or "").strip(), FAILED)


class Pushes:
    """The push subscriptions of a server.

    ``wake`` is called when something new may be due; ``gone`` when a subscription has ended, with
    the error code for who asks for it; ``posted`` counts what was given to be posted.
    """

    def __init__(self, pace: Pace, pick: Pick, told: ToldLog, seconds: Callable[[], int]) -> None:
        """Take the pace, what picks faults, the log, and a clock (seconds since 1970)."""
        self.wake: Callable[[], None] = lambda: None
        self.gone: Callable[[Subscription, str], None] = lambda *_: None
        self.posted = 0
        self._pace = pace
        self._pick = pick
        self._told = told
        self._seconds = seconds
        self._lines: dict[str, _Line] = {}
        self._agenda: list[tuple[float, int, str]] = []
        self._serial = count()
        self._transit: Transit[Post] = Transit()
        self._strays: list[Post] = []

    def add(self, subscription: Subscription, now: float) -> None:
        """Take one on; the first sign of life goes out at once."""
        line = _Line(subscription, status_at=now)
        self._lines[subscription.id] = line
        self._plan(line, now)
        self.wake()

    def remove(self, subscription: Subscription) -> None:
        """Post nothing more for one."""
        self._lines.pop(subscription.id, None)

    def changed(self, subscription: Subscription, now: float) -> None:
        """Note that something happened in the mailbox of one."""
        line = self._lines.get(subscription.id)
        if line is not None and not line.busy and line.failing_since is None:
            self._plan(line, now)
            self.wake()

    def take(self, now: float) -> list[Post]:
        """Give what is to be posted now; each tracked one wants to be ``done`` later."""
        posts = self._transit.late(now)
        strays = [replace(each, tracked=False) for each in (*posts, *self._strays)]
        self._strays.clear()
        found = [each for each in strays if each.subscription.id in self._lines]
        while self._agenda and self._agenda[0][0] <= now:
            at, _, wanted = heappop(self._agenda)
            line = self._lines.get(wanted)
            if line is not None and line.due == at and not line.busy:
                line.due = inf
                found += self._posts(line, now)
        self.posted += len(found)
        return found

    def next_at(self) -> float:
        """When to ``take`` again, unless something happens before; infinity for never."""
        return min(self._agenda[0][0] if self._agenda else inf, self._transit.next_at())

    def done(self, post: Post, outcome: str, now: float) -> None:
        """Note what the listener said: OK, UNSUBSCRIBE, or (not a proper answer) FAILED."""
        line = self._lines.get(post.subscription.id)
        if line is None:
            return
        if outcome == UNSUBSCRIBE:
            self.gone(post.subscription, GONE)
            return
        if not post.tracked:
            return
        line.busy = False
        self._strays += line.afterwards
        line.afterwards.clear()
        if outcome == OK:
            self._delivered(line, post, now)
        else:
            self._failed(line, now)
        self.wake()

    def _plan(self, line: _Line, at: float) -> None:
        line.due = at
        heappush(self._agenda, (at, next(self._serial), line.subscription.id))

    def _posts(self, line: _Line, now: float) -> list[Post]:
        """Give what a line that is due has to post, having let faults strike."""
        subscription = line.subscription
        events, position, more = subscription.fresh(MOST_EVENTS)
        if not events and now < line.status_at and line.failing_since is None:
            subscription.position = position
            self._plan(line, line.status_at)
            return []
        what = "change" if events else "status"
        address = subscription.address
        bare = self._pick((BARE,), _OPERATION, address, what) is not None
        mishap = self._pick((*ASTRAY, REFUSED, FORGOTTEN), _OPERATION, address, what)
        kinds = [each.kind for each in events] or ["StatusEvent"]
        self._told.add(subscription, kinds, mishap)
        if mishap is not None and mishap.kind == FORGOTTEN:
            self.gone(subscription, forgotten_as(mishap))
            return []
        if mishap is not None and mishap.kind == REFUSED:
            self._failed(line, now)
            return []
        body = self._body(subscription, events, position, more=more, bare=bare)
        return self._sent(line, Post(subscription, subscription.url, body, position), mishap, now)

    def _sent(self, line: _Line, post: Post, mishap: Mishap | None, now: float) -> list[Post]:
        arriving = self._transit.send(line.subscription.id, post, mishap, now)
        if not arriving:
            self._delivered(line, post, now)
            return []
        line.busy = True
        copies = [replace(each, tracked=False) for each in arriving[1:] if each is post]
        line.afterwards += [each for each in arriving if each is not post]
        return [post, *copies]

    def _body(
        self,
        subscription: Subscription,
        events: Sequence[Event],
        position: int,
        *,
        more: bool,
        bare: bool,
    ) -> bytes:
        mailbox, seconds = subscription.mailbox, self._seconds()

        def mark(number: int) -> str:
            return "" if bare else watermark_at(mailbox, number, seconds)

        told = "".join(event_xml(mailbox, each, mark(each.number)) for each in events)
        previous = mark(subscription.position)
        events_xml = told or status_xml(mark(position))
        return send_notification(subscription.id, previous, events_xml, more=more)

    def _delivered(self, line: _Line, post: Post, now: float) -> None:
        subscription = line.subscription
        subscription.position = max(subscription.position, post.position)
        line.failing_since = None
        line.retries = 0
        line.status_at = now + subscription.frequency * self._pace.minute
        waiting = subscription.mailbox.news.newest > subscription.position
        self._plan(line, now if waiting else line.status_at)

    def _failed(self, line: _Line, now: float) -> None:
        if line.failing_since is None:
            line.failing_since = now
        after = self._pace.first_retry * 2**line.retries
        line.retries += 1
        if after > line.subscription.frequency * self._pace.minute:
            self.gone(line.subscription, GONE)
        else:
            self._plan(line, max(now, line.failing_since + after))
