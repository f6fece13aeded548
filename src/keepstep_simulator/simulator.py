"""A stand-in Exchange server: mailboxes behind the EWS face, with a log and a list of faults.

``Simulator.answer`` is a plain function from request to answer; the network is elsewhere.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from random import Random

from keepstep_simulator import meetings
from keepstep_simulator.accounts import Accounts
from keepstep_simulator.affinity import BackEnds
from keepstep_simulator.directory_faces import (
    AUTODISCOVER_PATH,
    address_in,
    autodiscover,
    token_service,
)
from keepstep_simulator.ews.call import Call
from keepstep_simulator.ews.create_item import create_item
from keepstep_simulator.ews.delete_item import delete_item
from keepstep_simulator.ews.directory import (
    convert_id,
    get_server_time_zones,
    resolve_names,
)
from keepstep_simulator.ews.envelope import (
    Envelope,
    EwsError,
    EwsFault,
    fault,
    read_envelope,
)
from keepstep_simulator.ews.find_item import find_item
from keepstep_simulator.ews.get_folder import get_folder
from keepstep_simulator.ews.get_item import get_item
from keepstep_simulator.ews.get_streaming_events import get_streaming_events
from keepstep_simulator.ews.subscribe import subscribe
from keepstep_simulator.ews.sync_folder_items import sync_folder_items
from keepstep_simulator.ews.unsubscribe import unsubscribe
from keepstep_simulator.ews.update_item import update_item
from keepstep_simulator.ews.versions import DEFAULT_REQUEST, SERVERS
from keepstep_simulator.face import Answer, Request, xml_answer
from keepstep_simulator.faults import Damage, Fault, Faults
from keepstep_simulator.limits import Limits, Pace, limits_of
from keepstep_simulator.logbook import Logbook, LogEntry
from keepstep_simulator.model import Clock, MailboxModel
from keepstep_simulator.notifier import Notifier
from keepstep_simulator.seed import seed_calendars
from keepstep_simulator.zones import Zone

EWS_PATH = "/ews/exchange.asmx"
LARGEST_REQUEST = 64 * 1024 * 1024
_TOO_MANY = Damage((Fault("soap-fault", code="ErrorExceededConnectionCount"),))
_NOT_FOUND = b"<html><body>404</body></html>"

_OPERATIONS: Mapping[str, Callable[[Call], bytes | Answer]] = {
    "GetFolder": get_folder,
    "SyncFolderItems": sync_folder_items,
    "GetItem": get_item,
    "FindItem": find_item,
    "CreateItem": create_item,
    "UpdateItem": update_item,
    "DeleteItem": delete_item,
    "ResolveNames": resolve_names,
    "ConvertId": convert_id,
    "GetServerTimeZones": get_server_time_zones,
    "Subscribe": subscribe,
    "Unsubscribe": unsubscribe,
    "GetStreamingEvents": get_streaming_events,
}


class Simulator:
    """The server.

    ``mailboxes`` are by lower-case address; ``may_not_impersonate`` lists those whose
    impersonation is refused; ``accounts`` says who may sign in and how; ``autodiscover_moved_to``
    is where Autodiscover sends on to; ``log`` and ``faults`` are for tests. ``notifier`` holds the
    subscriptions; ``news`` is called, in any thread, with the address (in lower case) of a mailbox
    in which something happened that somebody subscribed to. ``concurrency`` is how many requests
    may be under way at once (EWSMaxConcurrency; None: any number); one more is refused.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        seed: int = 0,
        username: str = "svc",
        password: str = "secret",  # noqa: S107 - the stand-in's, known to all
        version: str = "Exchange2016",
        log_limit: int = 100_000,
        pace: Pace = Pace(),  # noqa: B008 - it cannot be changed
        ticks: Callable[[], float] = time.monotonic,
        back_ends: int = 1,
    ) -> None:
        """Take the clock (aware, UTC), a seed, the service account and the server's version.

        ``pace`` is that of notifications, ``ticks`` the seconds that it counts in; ``back_ends``
        is how many servers there are behind the one address.
        """
        self.clock = clock
        self.seed = seed
        self.accounts = Accounts(username, password, clock)
        self.autodiscover_moved_to = ""
        self.version = SERVERS[version]
        self.mailboxes: dict[str, MailboxModel] = {}
        self.may_not_impersonate: set[str] = set()
        self.log = Logbook(log_limit)
        self.faults = Faults(Random(f"{seed}:faults"))
        self.concurrency: int | None = None
        # The name by which answers tell, in X-FEServer, that they come from Exchange ("": untold).
        self.front_end = ""
        self.ticks = ticks
        self.back_ends = BackEnds(back_ends)
        self.notifier = Notifier(
            self.version,
            limits_of(self.version),
            pace,
            self.faults,
            clock=clock,
            seed=seed,
            log_limit=log_limit,
        )
        self.news: Callable[[str], None] = self.note_news

    def note_news(self, address: str) -> None:
        """Note, in the sender's thread, that something happened in a mailbox."""
        self.notifier.changed(address, self.ticks())

    @property
    def limits(self) -> Limits:
        """How much of notifications is allowed; may be changed at any time."""
        return self.notifier.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self.notifier.limits = limits

    @property
    def username(self) -> str:
        """The service account."""
        return self.accounts.username

    @property
    def password(self) -> str:
        """Its password."""
        return self.accounts.password

    @password.setter
    def password(self, password: str) -> None:
        self.accounts.password = password

    def add_mailbox(
        self, email: str, name: str | None = None, time_zone: str | Zone = "Europe/Berlin"
    ) -> MailboxModel:
        """Give a new, empty mailbox; the name defaults to one made from the address."""
        shown = name or email.partition("@")[0].replace(".", " ").title()
        mailbox = MailboxModel(email, shown, time_zone, clock=self.clock, seed=self.seed)
        mailbox.news.tell = partial(self._tell, email.lower())
        self.mailboxes[email.lower()] = mailbox
        return mailbox

    def _tell(self, address: str) -> None:
        if self.notifier.subscriptions.wanted(address):
            self.news(address)

    def seed_calendars(self, n_mailboxes: int, items_each: int = 60) -> list[MailboxModel]:
        """Mailboxes with believable calendars, always the same for the same seed and clock."""
        return seed_calendars(self, n_mailboxes, items_each)

    def requests(self, operation: str | None = None, mailbox: str | None = None) -> list[LogEntry]:
        """Give the logged requests of an operation, a mailbox, or both, oldest first."""
        return self.log.select(operation, mailbox)

    def counts(self) -> Counter[str]:
        """Give how many requests of each operation came in, since the log was last cleared.

        Beside them, SendNotification counts what went out to listeners.
        """
        return self.log.counts + Counter(SendNotification=self.notifier.pushes.posted)

    def clear_counts(self) -> None:
        """Begin the log, and all counts, anew."""
        self.log.clear()
        self.notifier.told.clear()
        self.notifier.pushes.posted = 0

    def find_mailbox(self, address: str) -> MailboxModel:
        """Give the mailbox of an address. Raises EwsError (ErrorNonExistentMailbox)."""
        mailbox = self.mailboxes.get(address.lower())
        if mailbox is None:
            raise EwsError("ErrorNonExistentMailbox")
        return mailbox

    def deliver(self, organizer: MailboxModel, item_id: str, what: str) -> None:
        """Bring what an organizer sends to the attendees that have a mailbox here."""
        meetings.deliver(self.mailboxes, organizer, item_id, what)

    def answer(self, request: Request) -> Answer:
        """Give the answer to a request; every request is logged. Never raises for a bad request."""
        path = request.path.rstrip("/").lower()
        if path not in (EWS_PATH, AUTODISCOVER_PATH):
            told = token_service(request, self.accounts)
            return told or Answer(404, {"Content-Type": "text/html"}, _NOT_FOUND)
        user = request.user or self.accounts.user(request.headers.get("authorization", ""))
        if user is None:
            return self._unauthorized(request)
        if path == AUTODISCOVER_PATH:
            knows = address_in(request.body).lower() in self.mailboxes
            return autodiscover(request, knows, self.autodiscover_moved_to)
        if request.method != "POST":
            return Answer(405, {"Allow": "POST"}, b"")
        try:
            envelope = read_envelope(request.body)
        except EwsFault as error:
            return self._refused(request, user, error)
        return self._faulty(request, user, envelope)

    def _unauthorized(self, request: Request) -> Answer:
        headers = {"WWW-Authenticate": self.accounts.challenge}
        self.log.add(self._entry(request, None, None, 401))
        return Answer(401, headers, b"")

    def _refused(self, request: Request, user: str, error: EwsFault) -> Answer:
        self.log.add(self._entry(request, user, None, 500, code=error.code))
        return xml_answer(500, fault(None, error))

    def _faulty(self, request: Request, user: str, envelope: Envelope) -> Answer:
        """Give the operation's answer with the faults of the list that hold for it."""
        if self.concurrency is not None and self.log.at_once >= self.concurrency:
            damage = _TOO_MANY
        else:
            damage = self.faults.pick(envelope.operation, envelope.impersonated)
        details: dict[str, object] = {}
        answer: Answer | None = damage.instead(self.version, envelope)
        if answer is None:
            damage.prepare(envelope, self._state_is_known(envelope), self._deleter(envelope))
            worked = self._operate(request, user, envelope, details)
            answer = damage.spoil(worked, envelope)
            if answer.delivery.stream is None:
                self.ended(worked)
        self.log.add(
            self._entry(
                request,
                user,
                envelope,
                answer.status,
                fault_kind=damage.kind,
                **_code(details, damage),
                details=details,
            )
        )
        return answer

    def _state_is_known(self, envelope: Envelope) -> Callable[[str], bool]:
        mailbox = self.mailboxes.get((envelope.impersonated or self.username).lower())
        return lambda text: mailbox is not None and mailbox.knows_state(text)

    def _deleter(self, envelope: Envelope) -> Callable[[str], None]:
        mailbox = self.mailboxes.get((envelope.impersonated or self.username).lower())

        def delete(item_id: str) -> None:
            if mailbox is not None and item_id in mailbox:
                mailbox.delete(item_id)

        return delete

    def ended(self, answer: Answer) -> None:
        """Note that an answer is delivered, or never will be: if it is a stream, it is closed."""
        for each in tuple(self.notifier.streams):
            if each is answer.delivery.stream:
                self.notifier.close_stream(each, self.ticks())

    def _operate(
        self, request: Request, user: str, envelope: Envelope, details: dict[str, object]
    ) -> Answer:
        try:
            call = self._call(request, user, envelope, details)
            operation = _OPERATIONS.get(envelope.operation)
            if operation is None:
                raise EwsFault(
                    "ErrorInvalidRequest", f"The operation {envelope.operation} is not served here."
                )
            made = operation(call)
            answer = xml_answer(200, made) if isinstance(made, bytes) else made
            if envelope.operation != "Subscribe":
                return answer
            cookie = self.back_ends.cookie(request.headers, call.back_end, secure=request.secure)
            return replace(answer, headers={**answer.headers, **cookie})
        except EwsError as error:
            details["code"] = error.code
            return xml_answer(500, fault(self.version, error))

    def _call(
        self, request: Request, user: str, envelope: Envelope, details: dict[str, object]
    ) -> Call:
        rank = self.version.rank_of(envelope.version or DEFAULT_REQUEST)
        if rank is None:
            raise EwsFault("ErrorInvalidServerVersion")
        return Call(
            envelope,
            self.version,
            rank,
            self._acting(envelope.impersonated),
            self.mailboxes,
            self.find_mailbox,
            self.notifier,
            self.clock,
            user,
            self.back_ends.reached(request.headers, envelope.impersonated or user),
            self.ticks(),
            details,
            self.deliver,
        )

    def _acting(self, impersonated: str | None) -> MailboxModel | None:
        if impersonated is None:
            return self.mailboxes.get(self.username.lower())
        if impersonated.lower() in self.may_not_impersonate:
            raise EwsFault("ErrorImpersonateUserDenied")
        mailbox = self.mailboxes.get(impersonated.lower())
        if mailbox is None:
            raise EwsFault("ErrorNonExistentMailbox")
        return mailbox

    def _entry(
        self,
        request: Request,
        user: str | None,
        envelope: Envelope | None,
        status: int,
        *,
        code: str | None = None,
        fault_kind: str | None = None,
        details: dict[str, object] | None = None,
    ) -> LogEntry:
        return LogEntry(
            self.clock(),
            envelope.operation if envelope else "",
            status,
            envelope.impersonated if envelope else None,
            user,
            request.headers.get("x-anchormailbox"),
            envelope.version if envelope else None,
            code,
            fault_kind,
            request.headers.get("user-agent"),
            details or {},
        )


def _code(details: dict[str, object], damage: Damage) -> dict[str, str | None]:
    code = damage.code or details.pop("code", None)
    return {"code": None if code is None else str(code)}
