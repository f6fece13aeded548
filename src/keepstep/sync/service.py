"""Putting a run together: settings, connector, store, mailboxes; then noting what it did."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.crypto import salted_hmac

from keepstep import spans
from keepstep.core.errors import StoreError
from keepstep.core.shares import shares_of
from keepstep.core.skip import Policy
from keepstep.exchange.ews.connect import Access, connect
from keepstep.exchange.tally import tally
from keepstep.notices.outbox import deliver
from keepstep.store import jobs, mailboxes, notices, runs
from keepstep.store.jobs import JobDefinition
from keepstep.store.settings import ApplicationSettings, check_complete, check_enabled, load
from keepstep.store.writer import Writer
from keepstep.sync.guard import Guard
from keepstep.sync.precedence import GivingWay, Precedence
from keepstep.sync.round import Means, poll
from keepstep.sync.run import RETRY_WITHIN, Manner, Portion, Progress, Run, RunResult, Work, merged
from keepstep.sync.traced import tell_run
from keepstep.sync.verify import Verification

log = logging.getLogger("keepstep.sync")

SYNCHRONIZATION = jobs.SYNCHRONIZATION
VERIFICATION = jobs.VERIFICATION
DELIVERY_SECONDS = 15
# Mailboxes that are taken together: more cost memory, fewer a statement for each few polls.
PORTION = 1000
# What begins a run, other than its schedule.
COMMAND = "command"
PAGE = "page"
API = "api"


def current_policy() -> Policy:
    """Give the policy that the settings name now."""
    return load(with_secrets=False).policy


def utc_now() -> datetime:
    """Give the present: the one clock of the running product."""
    return datetime.now(UTC)


@asynccontextmanager
async def means_for(settings: ApplicationSettings, writer: Writer) -> AsyncIterator[Means]:
    """Give what rounds work with, by these settings; connections are closed on leaving."""
    _suit_interpreter()
    connector = connect(access_of(settings))
    try:
        yield Means(
            connector, writer, utc_now, settings.policy, settings.batch_size, notifier=connector
        )
    finally:
        await connector.close()


# A thread that computes lets others in after so many seconds. By default it is ten times as long,
# which the loop would wait for each time it has asked the sockets while a page is being stored.
_TURN_SECONDS = 0.0005


def _suit_interpreter() -> None:
    """Suit Python's interpreter to long work on many small things, once for a process.

    What has been loaded stays; of what a round makes nearly nothing is in cycles. Looking for
    garbage after each 700 new objects, as by default, was 8 % of an idle poll's CPU.
    """
    if gc.get_freeze_count() == 0:
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        sys.setswitchinterval(_TURN_SECONDS)


def access_of(settings: ApplicationSettings) -> Access:
    """Give how the server is reached, by the settings."""
    return Access(
        url=settings.exchange_url,
        version=settings.exchange_version.value,
        username=settings.username,
        password=settings.password,
        connections=settings.connection_limit,
        ca_file=settings.ca_file,
        proxy=settings.http_proxy,
        auth=settings.auth.value,
        timeout_seconds=settings.timeout_seconds,
        oauth_authority=settings.oauth_authority,
        oauth_tenant=settings.oauth_tenant,
        oauth_client_id=settings.oauth_client_id,
        oauth_client_secret=settings.oauth_client_secret,
        oauth_scope=settings.oauth_scope,
    )


def account_of(settings: ApplicationSettings) -> str:
    """Give a fingerprint of the server and the account that signs in, which tells no secret."""
    parts = (
        settings.exchange_url,
        settings.auth.value,
        settings.username,
        settings.password,
        settings.oauth_authority,
        settings.oauth_tenant,
        settings.oauth_client_id,
        settings.oauth_client_secret,
        settings.oauth_scope,
    )
    return salted_hmac("keepstep.account", "\0".join(parts), algorithm="sha256").hexdigest()


def require_ready(settings: ApplicationSettings) -> None:
    """Raise UsageError where calendar integration is off or a setting is missing."""
    check_enabled(settings)
    check_complete(settings)


def sync_now(
    operators: Sequence[str] | None,
    *,
    full: bool = False,
    progress: Progress | None = None,
    trigger: str = COMMAND,
) -> RunResult:
    """Run CalendarSynchronization once, to its end, whether or not the job is enabled.

    `operators` names e-mail addresses (None: all whose calendar sync is on), `trigger` what began
    it, for the history of runs. Raises UsageError
    for settings or operators that do not let it begin, StoreError where the store fails it.
    """
    settings = load()
    require_ready(settings)
    ids = runs.mailboxes_of(operators)
    return asyncio.run(_sync(settings, ids, trigger, full=full, progress=progress))


def verify_now(
    operators: Sequence[str] | None,
    *,
    progress: Progress | None = None,
    trigger: str = COMMAND,
) -> tuple[RunResult, Verification]:
    """Compare the mailboxes with Exchange and mend them. Raises as `sync_now` does."""
    settings = load()
    require_ready(settings)
    ids = runs.mailboxes_of(operators)
    found = Verification()
    result = asyncio.run(
        _sync(settings, ids, trigger, job=VERIFICATION, progress=progress, work=found.verify)
    )
    return result, found


def run_job_now(
    job: JobDefinition, progress: Progress | None = None, *, trigger: str = COMMAND
) -> RunResult:
    """Run a job once, now, over its context. Raises as `sync_now` does."""
    settings = load()
    require_ready(settings)
    ids = runs.due_mailboxes(job.context, datetime.max.replace(tzinfo=UTC))
    work = work_of(job.kind)
    return asyncio.run(_sync(settings, ids, trigger, job=job.name, progress=progress, work=work))


def work_of(kind: str) -> Work:
    """Give what a job of this kind does with each mailbox."""
    return Verification().verify if kind == VERIFICATION else poll


async def _sync(
    settings: ApplicationSettings,
    ids: Sequence[int],
    trigger: str,
    *,
    job: str = SYNCHRONIZATION,
    full: bool = False,
    progress: Progress | None = None,
    work: Work = poll,
) -> RunResult:
    manner = manner_of(settings, full=full, retry_within=RETRY_WITHIN, work=work)
    async with Writer() as writer, means_for(settings, writer) as means:
        result = await run_over(
            means,
            manner,
            ids,
            job=job,
            trigger=trigger,
            progress=progress,
            policy=current_policy,
        )
        await _deliver_briefly(settings, writer)
        return result


async def _deliver_briefly(settings: ApplicationSettings, writer: Writer) -> None:
    """Send what waits in the outbox; what can't be sent now is left to the next run."""
    try:
        await asyncio.wait_for(deliver(writer, settings, utc_now), DELIVERY_SECONDS)
    except (TimeoutError, StoreError):
        return


def manner_of(
    settings: ApplicationSettings,
    *,
    full: bool = False,
    retry_within: timedelta = timedelta(0),
    work: Work = poll,
    guard: Guard | None = None,
    precedence: Precedence | None = None,
) -> Manner:
    """Give how a run goes about it, by the settings."""
    return Manner(
        connections=settings.connection_limit,
        notification_frequency=timedelta(minutes=settings.notification_frequency),
        full=full,
        retry_within=retry_within,
        work=work,
        guard=guard or Guard(account_of(settings)),
        notify=settings.notify_sync_failure_to,
        precedence=precedence,
    )


async def run_over(
    means: Means,
    manner: Manner,
    ids: Sequence[int],
    *,
    job: str,
    trigger: str,
    progress: Progress | None = None,
    policy: Callable[[], Policy] | None = None,
    lasting: Sequence[int] = (),
) -> RunResult:
    """Take the mailboxes, poll them, and keep the run in the history of runs.

    `lasting` are mailboxes to be polled beside `ids`, on a few connections of their own: their
    full rounds, which last, do not keep the others waiting. Mailboxes are taken a portion at a
    time, just before they are polled. `policy` gives the one that holds now (None: that of the
    means). It is asked for after mailboxes were taken: who changes it takes them away, so that
    nothing is stored by an old one.
    """
    call = means.writer.call
    before = means.connector.requests
    run_id = await call(runs.begin_run, job, trigger, means.clock())
    with spans.span("keepstep.run") as span:
        results = await _all_of(
            Run(in_lane, of_lane, progress, number=run_id).over_portions(
                _portions(means.writer, each, policy), len(each)
            )
            for in_lane, of_lane, each in _lanes(means, manner, ids, lasting)
        )
        result = merged(results)
        result.requests = means.connector.requests - before
        if span.recorded:
            tell_run(span, result, run=run_id, job=job, trigger=trigger)
    await call(runs.end_run, run_id, means.clock(), asdict(result))
    await call(notices.review, means.clock(), manner.notify, manner.notification_frequency)
    if result.created or result.updated or result.removed:
        log.info("changed", extra={"run": run_id, "job": job, "counts": _numbers(result)})
    return result


def _lanes(
    means: Means, manner: Manner, ids: Sequence[int], lasting: Sequence[int]
) -> list[tuple[Means, Manner, Sequence[int]]]:
    """Give what is polled side by side, by which means, and by how many connections."""
    shares = shares_of(manner.connections)
    few = shares.first.jobs * shares.first.connections
    if not (lasting and few):
        return [(means, manner, [*ids, *lasting])]
    slow_means, slow = giving_way(means, manner)
    if not ids:
        return [(slow_means, slow, lasting)]
    rest = replace(manner, connections=manner.connections - few)
    return [(means, rest, ids), (slow_means, replace(slow, connections=few), lasting)]


def giving_way(means: Means, manner: Manner) -> tuple[Means, Manner]:
    """Give the means and manner of full rounds, which let the others go first."""
    if manner.precedence is None:
        return means, manner
    connector = GivingWay(means.connector, manner.precedence)
    return replace(means, connector=connector), replace(manner, precedence=None)


async def _all_of(runs: Iterable[Coroutine[Any, Any, RunResult]]) -> list[RunResult]:
    """Wait for all; where one fails the others are broken off, and its error is raised."""
    tasks = [asyncio.ensure_future(each) for each in runs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _portions(
    writer: Writer, ids: Sequence[int], policy: Callable[[], Policy] | None
) -> AsyncGenerator[Portion, None]:
    for begin in range(0, len(ids), PORTION):
        taken = await writer.call(mailboxes.take, ids[begin : begin + PORTION])
        yield Portion(taken, await writer.call(policy) if policy is not None else None)


async def run_share(
    means: Means,
    manner: Manner,
    ids: Sequence[int],
    *,
    run: int,
    job: str,
    shard: int,
    policy: Callable[[], Policy],
) -> RunResult:
    """Take a shard's mailboxes of a run and poll them; what was done is added to the run."""
    call = means.writer.call
    with spans.span("keepstep.shard") as span:
        taken = await call(mailboxes.take, ids)
        means = replace(means, policy=await call(policy))
        with tally() as sent:
            result = await Run(means, manner, number=run).over(taken)
        result.requests = sent.requests
        if span.recorded:
            tell_run(span, result, run=run, job=job, shard=shard)
    await call(runs.add_to_run, run, means.clock(), asdict(result))
    if result.created or result.updated or result.removed:
        log.info("changed", extra={"run": run, "counts": _numbers(result)})
    return result


def _numbers(result: RunResult) -> dict[str, int]:
    return {name: value for name, value in asdict(result).items() if isinstance(value, int)}
