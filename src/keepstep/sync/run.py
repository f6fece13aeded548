"""A run of the job CalendarSynchronization: many mailboxes at once, one request each."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Protocol

from keepstep import spans
from keepstep.core.breaker import SHARED
from keepstep.core.errors import ExchangeError, FenceLost, KeepstepError, StoreError
from keepstep.core.failures import FAILURES
from keepstep.core.lockout import SIGN_IN_REFUSED
from keepstep.core.schedule import after_failure, not_tried
from keepstep.core.skip import Policy
from keepstep.store import mailboxes
from keepstep.store.apply import Counts
from keepstep.store.mailboxes import IdleNote, NotTried, TakenMailbox
from keepstep.sync.guard import Guard, GuardedConnector, Refused
from keepstep.sync.precedence import Precedence
from keepstep.sync.round import Means, Outcome, poll
from keepstep.sync.traced import tell_round

log = logging.getLogger("keepstep.sync")

NOTES_AT_ONCE = 200
RETRY_WITHIN = timedelta(seconds=10)
# Failures of the server or the account, which pass for all mailboxes at once.
_OF_ALL = SHARED | {SIGN_IN_REFUSED}

Progress = Callable[[int, int], None]


class Work(Protocol):
    """What is done with each mailbox of a run; raises as `poll` does."""

    async def __call__(
        self, mailbox: TakenMailbox, means: Means, outcome: Outcome, *, full: bool = False
    ) -> None:
        """Do it, adding what was stored to the outcome."""
        ...


Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class RunResult:
    """What a run did. `failures` hold operator, code, message and remedy each."""

    mailboxes: int = 0
    succeeded: int = 0
    failed: int = 0
    created: int = 0
    updated: int = 0
    removed: int = 0
    skipped: int = 0
    requests: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)

    def add_counts(self, counts: Counts, email: str) -> None:
        """Add what one round did."""
        self.created += counts.created
        self.updated += counts.updated
        self.removed += counts.removed
        self.skipped += counts.skipped
        for item_id, code in counts.quarantined:
            self.failures.append(failure_entry(email, code, f"item {item_id}"))
        if counts.held:
            detail = f"{counts.held} appointments"
            self.failures.append(failure_entry(email, "held-mass-removal", detail))


def merged(results: Sequence[RunResult]) -> RunResult:
    """Give what several parts of one run did together."""
    whole = RunResult()
    for each in results:
        for name in _NUMBERS:
            setattr(whole, name, getattr(whole, name) + getattr(each, name))
        whole.failures += each.failures
    return whole


_NUMBERS = [each.name for each in fields(RunResult) if each.name != "failures"]


def failure_entry(email: str, code: str, detail: str = "") -> dict[str, str]:
    """Give a failure as commands and pages show it, in the words of the catalogue."""
    failure = FAILURES.get(code, FAILURES["internal-error"])
    message = f"{failure.message} ({detail})" if detail else failure.message
    return {
        "operator": email,
        "code": failure.code,
        "message": message,
        "remedy": failure.remedy,
    }


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run goes about it.

    `connections` bounds the mailboxes read at once; `retry_within` is for how long a failure that
    passes by itself is tried again within the run; `work` is what is done with each mailbox;
    `guard` stands before the server (None: one for this run alone); `notify` are the addresses
    that failure e-mails go to; `sleep` and `jitter` are the world's. `precedence` is told while
    mailboxes of the run wait to be begun (None: nobody gives way to them).
    """

    connections: int
    notification_frequency: timedelta
    full: bool = False
    retry_within: timedelta = timedelta(0)
    work: Work = poll
    guard: Guard | None = None
    notify: tuple[str, ...] = ()
    sleep: Sleep = asyncio.sleep
    jitter: Callable[[], float] = random.random
    precedence: Precedence | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """Mailboxes taken together, and the policy that holds for them (None: that of the means)."""

    taken: Sequence[TakenMailbox]
    policy: Policy | None = None


async def _at_once(taken: Sequence[TakenMailbox]) -> AsyncGenerator[Portion, None]:
    yield Portion(taken)


class _Feed:
    """What is left to poll, of which some is `ready`; shared by the workers of a run."""

    def __init__(
        self,
        portions: AsyncGenerator[Portion, None],
        begin: Callable[[Portion], Iterable[TakenMailbox]],
        precedence: Precedence | None,
    ) -> None:
        self.ready: deque[TakenMailbox] = deque()
        self._portions = portions
        self._begin = begin
        self._filling = asyncio.Lock()
        self._precedence = precedence
        if precedence is not None:
            precedence.begin()

    async def fill(self) -> bool:
        """Take the next portion where nothing is ready; say whether something is."""
        async with self._filling:
            while not self.ready:
                portion = await anext(self._portions, None)
                if portion is None:
                    self.end()
                    return False
                self.ready.extend(self._begin(portion))
        return True

    def end(self) -> None:
        """Note that nothing waits to be begun any more."""
        precedence, self._precedence = self._precedence, None
        if precedence is not None:
            precedence.end()


class Run:
    """One run over mailboxes that were taken for it. `number` names it in the log."""

    def __init__(
        self,
        means: Means,
        manner: Manner,
        progress: Progress | None = None,
        *,
        number: int | None = None,
    ) -> None:
        self._guard = manner.guard or Guard(jitter=manner.jitter)
        guarded = GuardedConnector(means.connector, self._guard, means.writer, means.clock)
        self._means = replace(means, connector=guarded)
        self._manner = manner
        self._progress = progress
        self._number = number
        self._idle: list[IdleNote] = []
        self._not_tried: list[NotTried] = []
        self.result = RunResult()

    async def over(self, taken: Sequence[TakenMailbox]) -> RunResult:
        """Poll each mailbox to the end of its round; give what was done and what failed.

        A mailbox's failure is noted and touches no other. Raises StoreError where the notes of
        idle rounds can't be stored.
        """
        return await self.over_portions(_at_once(taken), len(taken))

    async def over_portions(self, portions: AsyncGenerator[Portion, None], total: int) -> RunResult:
        """Do as `over` does with mailboxes that are taken as they are needed, `total` in all.

        However many there are, no more of them than a portion is in memory beside those at work.
        """
        await self._guard.begin(self._means.writer, self._means.clock())
        feed = _Feed(portions, self._begin_portion, self._manner.precedence)
        workers = [
            asyncio.create_task(self._work(feed, total))
            for _ in range(min(self._manner.connections, total))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            feed.end()
            await portions.aclose()
            await self._note_idle()
            await self._note_not_tried()
        return self.result

    def _begin_portion(self, portion: Portion) -> Iterable[TakenMailbox]:
        self.result.mailboxes += len(portion.taken)
        if portion.policy is not None:
            self._means = replace(self._means, policy=portion.policy)
        if self._guard.at_ease:
            return portion.taken
        # Whichever is the probe, it is not always the same one: that may have its own trouble.
        return sorted(portion.taken, key=lambda _: self._manner.jitter())

    async def _work(self, feed: _Feed, total: int) -> None:
        while feed.ready or await feed.fill():
            await self._poll(feed.ready.popleft())
            if self._progress is not None:
                self._progress(self.result.succeeded + self.result.failed, total)

    async def _poll(self, mailbox: TakenMailbox) -> None:
        with spans.span("keepstep.round") as span:
            outcome = Outcome()
            code = await self._poll_and_note(mailbox, outcome)
            if span.recorded:
                tell_round(span, mailbox.id, outcome, code)

    async def _poll_and_note(self, mailbox: TakenMailbox, outcome: Outcome) -> str:
        """Poll, and note how it went; give the code of its failure, "" where it is in step."""
        paused = mailbox.paused_until
        if paused is not None and paused > self._means.clock():
            until = f"Exchange asked us to wait until {paused:%Y-%m-%d %H:%M:%S} UTC"
            return self._failed(mailbox, mailbox.failure_code, until)
        try:
            await self._poll_with_retries(mailbox, outcome)
        except FenceLost as overtaken:
            self.result.mailboxes -= 1
            return overtaken.code
        except Refused as refused:
            return await self._set_back(self._begin_anew(mailbox, outcome), refused)
        except ExchangeError as error:
            return await self._note_failure(self._begin_anew(mailbox, outcome), error, error.pause)
        except StoreError as error:
            return self._failed(mailbox, error.code, error.detail)
        except Exception as error:
            # The message of a foreign error could hold an appointment's text: its kind must do.
            kind = type(error).__name__
            log.exception("internal error", extra=self._about(mailbox))
            mailbox = self._begin_anew(mailbox, outcome)
            return await self._note_failure(mailbox, KeepstepError("internal-error", kind), None)
        else:
            await self._succeeded(mailbox, outcome)
            return ""
        finally:
            self._guard.leave(mailbox.email)
            self.result.add_counts(outcome.counts, mailbox.email)

    @staticmethod
    def _begin_anew(mailbox: TakenMailbox, outcome: Outcome) -> TakenMailbox:
        """Give the mailbox without the trouble that a success within this run has ended."""
        return replace(mailbox, trouble=None) if outcome.in_step else mailbox

    async def _poll_with_retries(self, mailbox: TakenMailbox, outcome: Outcome) -> None:
        within = self._manner.retry_within
        until = self._means.clock() + within if within else None
        pause = 0.5
        full = self._manner.full
        while True:
            try:
                if not self._guard.at_ease:
                    await self._guard.enter(mailbox.email, self._means.clock, self._manner.sleep)
                await self._manner.work(mailbox, self._means, outcome, full=full)
            except ExchangeError as error:
                wait = max(timedelta(seconds=pause), self._asked_to_wait(error))
                lasting = not FAILURES[error.code].passes_by_itself
                if lasting or until is None or self._means.clock() + wait > until:
                    raise
                await self._manner.sleep(wait.total_seconds())
                pause *= 2
                mailbox = await self._again(mailbox)
                full = full and not mailbox.in_full_round
            else:
                return

    def _asked_to_wait(self, error: ExchangeError) -> timedelta:
        if isinstance(error, Refused):
            return error.until - self._means.clock()
        return error.pause or timedelta(0)

    async def _again(self, mailbox: TakenMailbox) -> TakenMailbox:
        """Give the mailbox as the failed attempt left it: its pages so far are stored."""
        return await self._means.writer.call(mailboxes.read, mailbox.id, mailbox.fence)

    async def _succeeded(self, mailbox: TakenMailbox, outcome: Outcome) -> None:
        self.result.succeeded += 1
        if mailbox.trouble is not None:
            log.info("in step again", extra=self._about(mailbox))
        if outcome.idle is not None:
            self._idle.append(outcome.idle)
            if len(self._idle) >= NOTES_AT_ONCE:
                await self._note_idle()

    async def _note_idle(self) -> None:
        notes, self._idle = self._idle, []
        if notes:
            await self._means.writer.call(mailboxes.note_idle, notes)

    async def _note_failure(
        self, mailbox: TakenMailbox, error: KeepstepError, pause: timedelta | None
    ) -> str:
        now: datetime = self._means.clock()
        failure = FAILURES.get(error.code, FAILURES["internal-error"])
        trouble = after_failure(
            mailbox.trouble,
            now,
            passes_by_itself=failure.passes_by_itself,
            pause=pause,
            notification_frequency=self._manner.notification_frequency,
            jitter=self._manner.jitter(),
            with_all_at=self._guard.resumes_at(error.code),
        )
        try:
            await self._means.writer.call(
                mailboxes.note_failure,
                mailbox.id,
                mailbox.fence,
                error.code,
                error.detail,
                trouble,
                now + pause if pause else None,
            )
        except FenceLost as overtaken:
            self.result.mailboxes -= 1
            return overtaken.code
        except StoreError as store_error:
            error = store_error
        return self._failed(mailbox, error.code, error.detail)

    async def _set_back(self, mailbox: TakenMailbox, refused: Refused) -> str:
        """Let a mailbox that was not tried come back with all the others."""
        code, detail = refused.code, refused.detail
        if mailbox.trouble is not None and mailbox.failure_code not in _OF_ALL:
            # It has a trouble of its own, which the server's does not explain.
            code, detail = mailbox.failure_code, refused.detail
        trouble = not_tried(mailbox.trouble, self._means.clock(), refused.until)
        self._not_tried.append(NotTried(mailbox.id, mailbox.fence, code, detail, trouble))
        if len(self._not_tried) >= NOTES_AT_ONCE:
            await self._note_not_tried()
        self.result.failed += 1
        self.result.failures.append(failure_entry(mailbox.email, code, detail))
        return code

    async def _note_not_tried(self) -> None:
        notes, self._not_tried = self._not_tried, []
        if notes:
            await self._means.writer.call(mailboxes.note_not_tried, notes)

    def _failed(self, mailbox: TakenMailbox, code: str, detail: str) -> str:
        self.result.failed += 1
        self.result.failures.append(failure_entry(mailbox.email, code, detail))
        if mailbox.trouble is None or mailbox.failure_code != code:
            log.warning("round failed", extra={**self._about(mailbox), "code": code})
        return code

    def _about(self, mailbox: TakenMailbox) -> dict[str, object]:
        return {"operator": mailbox.email, "run": self._number}
