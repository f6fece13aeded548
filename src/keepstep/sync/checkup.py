"""The doctor's checks: what each step looks at, with the settings and operators as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from keepstep.core.administration import Circumstances
from keepstep.core.errors import ExchangeError
from keepstep.core.job_schedule import next_runs
from keepstep.core.lockout import SIGN_IN_REFUSED, held_back
from keepstep.exchange.connector import Target
from keepstep.exchange.ews.envelope import ServerVersion
from keepstep.exchange.ews.probe import Probe
from keepstep.notices.outbox import trouble
from keepstep.notices.post import server_of
from keepstep.store import jobs, notices, sign_ins
from keepstep.store.models import Operator
from keepstep.store.operators import find
from keepstep.store.setting_rules import is_loopback
from keepstep.store.settings import ApplicationSettings, check_complete, load
from keepstep.store.writer import Writer
from keepstep.sync.doctor import Check, Finding, Load, Step, advice, examine
from keepstep.sync.service import SYNCHRONIZATION, access_of, account_of, utc_now

# Kerberos and tokens bear five minutes, and what is upcoming is told by our clock.
CLOCK_MAY_DIFFER = timedelta(minutes=1)
CERTIFICATE_ENDS_SOON = timedelta(days=14)
TIMED_REQUESTS = 5

# (major, minor) of ServerVersionInfo, Microsoft's "Exchange Server build numbers".
_GENERATIONS = {
    (14,): "Exchange2010",
    (15, 0): "Exchange2013",
    (15, 1): "Exchange2016",
    (15, 2): "Exchange2019",
}
_FIRST_BUILD_OF_SE = 2562
_NO_OPERATOR = "There is no operator yet to look with: keepstep operators import FILE."


def check_up(email: str | None, show: Callable[[Step], None]) -> list[Step]:
    """Look at the connection as the settings have it, with this operator's mailbox.

    Without an address it is the first operator whose calendar sync is on, else the first. Raises
    UsageError for missing settings and for an unknown operator.
    """
    settings = load()
    check_complete(settings)
    operator = find(email) if email else _first_operator()
    target = None if operator is None else Target(operator.email, operator.time_zone)
    load_ = _load(settings)
    account = settings.username or settings.oauth_client_id
    about = Circumstances(account, settings.auth.value, operator.email if operator else "")
    return asyncio.run(_check_up(settings, target, load_, about, show))


def _first_operator() -> Operator | None:
    return Operator.objects.order_by("-calendar_sync", "email").first()


def _load(settings: ApplicationSettings) -> Load:
    mailboxes = Operator.objects.filter(calendar_sync=True).count()
    job = jobs.definition(SYNCHRONIZATION)
    first, second = next_runs(job.schedule, utc_now(), 2)
    minutes = (second - first) / timedelta(minutes=1) if job.enabled else None
    return Load(mailboxes, settings.connection_limit, minutes)


async def _check_up(
    settings: ApplicationSettings,
    target: Target | None,
    load_: Load,
    about: Circumstances,
    show: Callable[[Step], None],
) -> list[Step]:
    probe = Probe(access_of(settings), utc_now)
    try:
        async with Writer() as writer:
            checks = _Checks(probe, settings, target, load_, writer)
            return await examine(checks.in_order(), about, show, apart=[("mail", checks.mail)])
    finally:
        await probe.close()


@dataclass(slots=True)
class _Checks:
    probe: Probe
    settings: ApplicationSettings
    target: Target | None
    load: Load
    writer: Writer
    clock_ahead: timedelta | None = None

    def in_order(self) -> Sequence[tuple[str, Check]]:
        return (
            ("name", self.name),
            ("port", self.port),
            ("tls", self.tls),
            ("exchange", self.exchange),
            ("sign-in", self.sign_in),
            ("version", self.version),
            ("impersonation", self.impersonation),
            ("calendar", self.calendar),
            ("page", self.page),
            ("clock", self.clock),
            ("speed", self.speed),
        )

    async def name(self) -> Finding:
        addresses = await self.probe.resolve()
        return Finding(f"{self._first_stop()} is {', '.join(addresses[:4])}.")

    async def port(self) -> Finding:
        await self.probe.open_port()
        return Finding(f"{self._first_stop()} answers at port {self.probe.first_stop[1]}.")

    def _first_stop(self) -> str:
        host = self.probe.first_stop[0]
        return f"The proxy {host}" if self.settings.http_proxy else host

    async def tls(self) -> Finding:
        ends = await self.probe.agree_on_tls()
        if urlsplit(self.settings.exchange_url).scheme == "http":
            if is_loopback(self.settings.exchange_url):
                return Finding("Plain http, which does not leave this machine.")
            return Finding(
                "The Exchange URL is plain http: the password can be read.", "plain-http"
            )
        if ends is None:
            return Finding("The certificate is trusted.")
        until = f"The certificate is trusted, and holds until {ends:%Y-%m-%d}."
        soon = ends - utc_now() < CERTIFICATE_ENDS_SOON
        return Finding(until, "certificate-ends-soon" if soon else "")

    async def exchange(self) -> Finding:
        seen = await self.probe.look()
        self.clock_ahead = seen.clock_ahead
        if not seen.schemes:
            return Finding("Exchange Web Services answer at this address.")
        return Finding(f"The server wants a sign-in: {', '.join(seen.schemes)}.")

    async def sign_in(self) -> Finding:
        """Sign in once, and let the jobs know how it went: they share the account."""
        call, account = self.writer.call, account_of(self.settings)
        held = await call(sign_ins.claim, account, utc_now())
        if held is not None and held.next_probe is not None:
            raise ExchangeError(SIGN_IN_REFUSED, held_back(held.next_probe))
        try:
            await self.probe.sign_in()
        except ExchangeError as error:
            if error.code == SIGN_IN_REFUSED:
                await call(sign_ins.refuse, account, utc_now())
            raise
        name = self.settings.username or self.settings.oauth_client_id
        signed_in = f"{name} is signed in ({self.settings.auth})."
        if not await call(sign_ins.mend, account):
            return Finding(signed_in)
        return Finding(f"{signed_in} It was refused before: mailboxes are tried again at once.")

    async def version(self) -> Finding:
        told = await self.probe.accept_version()
        wanted = self.settings.exchange_version.value
        if told is None:
            return Finding(f"The server accepts {wanted}, and does not tell its own version.")
        found = generation(told)
        if not found or found == wanted:
            return Finding(f"The server's version is {told}; exchange_version={wanted} fits.")
        return Finding(
            f"The server's version is {told} ({found}); it accepts exchange_version={wanted},"
            f" exchange_version={found} fits best."
        )

    async def impersonation(self) -> Finding:
        if self.target is None:
            return Finding(_NO_OPERATOR)
        await self.probe.enter(self.target)
        return Finding(f"The service account may read the mailbox of {self.target.address}.")

    async def calendar(self) -> Finding:
        if self.target is None:
            return Finding(_NO_OPERATOR)
        folder = await self.probe.folder(self.target)
        return Finding(f"The calendar folder opens: {folder.name or 'without a name'}.")

    async def page(self) -> Finding:
        if self.target is None:
            return Finding(_NO_OPERATOR)
        read = await self.probe.page(self.target)
        return Finding(f"A page has {read.changes} entries; {read.appointments} were read whole.")

    async def clock(self) -> Finding:
        ahead = self.clock_ahead
        if ahead is None:
            return Finding("The server does not tell its time.")
        seconds = round(ahead.total_seconds())
        if abs(ahead) <= CLOCK_MAY_DIFFER:
            return Finding("The clocks agree.")
        way = "ahead of" if seconds > 0 else "behind"
        return Finding(
            f"Exchange's clock is {abs(seconds)} seconds {way} this machine's.", "clock-skew"
        )

    async def speed(self) -> Finding:
        if self.target is None:
            return Finding(_NO_OPERATOR)
        return advice(await self.probe.seconds_of(self.target, TIMED_REQUESTS), self.load)

    async def mail(self) -> Finding:
        """See whether those who are to hear of failures do; asks no mail server."""
        found = trouble(self.settings, await self.writer.call(notices.outbox))
        if found is not None:
            return Finding(found.message, found.code)
        recipients = self.settings.notify_sync_failure_to
        if not recipients:
            return Finding("Nobody gets failure e-mails: notify_sync_failure_to is not set.")
        return Finding(
            f"Failure e-mails go to {', '.join(recipients)} by {server_of(self.settings).address};"
            " keepstep testmail tries it."
        )


def generation(version: ServerVersion) -> str:
    """Give what `exchange_version` is called for a server, "" for one of no known version."""
    if (version.major, version.minor) == (15, 2) and version.build >= _FIRST_BUILD_OF_SE:
        return "ExchangeSE"
    for key in ((version.major, version.minor), (version.major,)):
        if key in _GENERATIONS:
            return _GENERATIONS[key]
    return ""
