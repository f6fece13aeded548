"""The shapes of what is about running Keepstep: settings, jobs, what fails or waits, webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from keepstep.api.schemas import Body, Email, Failure, Next


class Setting(Schema):
    """An application setting; the value of a secret one is `set` or `not set`."""

    name: str
    value: str | int | None
    origin: Literal["default", "set", "environment"]
    help: str
    secret: bool


class Settings(Schema):
    """All settings. `notes` tell what a change led to."""

    items: list[Setting]
    notes: list[str] = []


class Run(Schema):
    """A run of a job: what it did, and what failed with its remedy."""

    id: int
    job: str
    trigger: str
    started: datetime
    finished: datetime | None
    mailboxes: int
    succeeded: int
    failed: int
    created: int
    updated: int
    removed: int
    skipped: int
    requests: int
    failures: list[dict[str, str]]


class Runs(Schema):
    """A portion of the runs, the newest first."""

    items: list[Run]
    next: Next


class Job(Schema):
    """A job scheduler."""

    name: str = Field(examples=["CalendarSynchronization"])
    kind: Literal["CalendarSynchronization", "CalendarVerification"]
    enabled: bool
    schedule: str = Field(description="Minutes, or a cron line.", examples=["5"])
    context: str = Field(examples=["system"])
    shipped: bool
    changed: bool
    next_run: datetime | None
    last_run: Run | None


class Jobs(Schema):
    """All jobs."""

    items: list[Job]


class NewJob(Body):
    """A job to be added; schedule and context as shipped where left out."""

    name: str
    kind: Literal["CalendarSynchronization", "CalendarVerification"]
    schedule: str | None = None
    context: str | None = None
    enabled: bool = False


class JobChange(Body):
    """What is to be changed of a job; what is left out stays."""

    enabled: bool | None = None
    schedule: str | None = None
    context: str | None = None


class Task(Schema):
    """Work that goes on. `problem` says why it could not be done."""

    id: UUID
    kind: str
    running: bool
    done: int
    total: int
    result: dict[str, object]
    problem: str


class Begun(Schema):
    """Work that was begun: how it goes on is at /tasks/ID."""

    task: UUID


class FailingOperator(Schema):
    """An operator whose mailbox fails, or of whose appointments a removal is held."""

    operator_id: int
    operator: Email
    status: str
    failure: Failure


class FailingOperators(Schema):
    """A portion of those that fail."""

    items: list[FailingOperator]
    next: Next


class FailingGroup(Schema):
    """How many calendars fail alike."""

    code: str
    message: str
    remedy: str
    count: int
    since: datetime | None


class Health(Schema):
    """How the whole fares; nobody's appointment is in it."""

    at: datetime
    mailboxes: dict[str, int] = Field(description="How many by sync status.")
    behind_slowest: float | None = Field(description="Seconds.")
    failing: list[FailingGroup]
    held: int
    quarantined: int
    appointments: int


class HeldItem(Schema):
    """An appointment whose removal is held."""

    appointment: str
    subject: str
    start: datetime


class Hold(Schema):
    """An operator's held removals."""

    operator_id: int
    operator: Email
    since: datetime
    count: int
    items: list[HeldItem]


class Holds(Schema):
    """All holds."""

    items: list[Hold]


class Decided(Schema):
    """How many appointments a decision was about."""

    count: int


class Quarantined(Schema):
    """An item that can't be read; it is tried again at its next change, or by a full round."""

    id: int
    operator_id: int
    operator: Email
    item_id: str
    code: str
    message: str
    remedy: str
    since: datetime


class Quarantine(Schema):
    """A portion of the quarantine."""

    items: list[Quarantined]
    next: Next


class RefusedRow(Schema):
    """A row of a file that was not loaded, and why."""

    line: int
    column: str
    value: str
    reason: str


class Imported(Schema):
    """What an import did, or by a dry run would do."""

    added: int
    updated: int
    unchanged: int
    refused: list[RefusedRow]
    notes: list[str]
    stored: bool


class AuditEntry(Schema):
    """Who changed what, and when; of a secret only that it changed."""

    id: int
    at: datetime
    by: str
    action: str
    subject: str
    changes: dict[str, object]


class AuditEntries(Schema):
    """A portion of the audit, the newest first."""

    items: list[AuditEntry]
    next: Next


class Webhook(Schema):
    """An address that is told of appointment changes. `events` empty: all."""

    id: int
    url: str = Field(examples=["https://crm.example.com/hooks/keepstep"])
    events: list[str] = Field(examples=[["created", "removed"]])
    enabled: bool
    created_at: datetime
    last_success_at: datetime | None
    waiting: int
    dead: int = Field(description="Deliveries that were given up; to be replayed.")
    problem: str


class Webhooks(Schema):
    """All webhooks."""

    items: list[Webhook]


class NewWebhook(Body):
    """A webhook to be added; without events it is told of all."""

    url: str = Field(max_length=2000, examples=["https://crm.example.com/hooks/keepstep"])
    events: list[Literal["created", "changed", "cancelled", "removed"]] = []


class MadeWebhook(Schema):
    """A webhook that was added: `secret` signs what is sent, and is told only now."""

    id: int
    secret: str


class WebhookChange(Body):
    """What is to be changed of a webhook; what is left out stays."""

    url: str | None = Field(None, max_length=2000)
    events: list[Literal["created", "changed", "cancelled", "removed"]] | None = None
    enabled: bool | None = None


class Secret(Schema):
    """A secret, told only now."""

    secret: str
