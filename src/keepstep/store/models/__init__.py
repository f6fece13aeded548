"""The tables: one file per subject."""

from keepstep.store.models.account import Account, Task
from keepstep.store.models.api import ApiToken, Delivery, Webhook
from keepstep.store.models.appointment import Appointment
from keepstep.store.models.audit import AuditEntry
from keepstep.store.models.calendar_address import CalendarAddress
from keepstep.store.models.history import History, LeftOut, Quarantine
from keepstep.store.models.identity import Identity
from keepstep.store.models.imports import ImportDraft, ImportMapping
from keepstep.store.models.job import Job, Run
from keepstep.store.models.notice import Mail, Notice, NoticeEntry, SignIn
from keepstep.store.models.operator import Mailbox, Operator
from keepstep.store.models.sample import Sample
from keepstep.store.models.session import Session
from keepstep.store.models.setting import Setting
from keepstep.store.models.subscription import Subscription, WayTrouble
from keepstep.store.models.worker import Worker

__all__ = [
    "Account",
    "ApiToken",
    "Appointment",
    "AuditEntry",
    "CalendarAddress",
    "Delivery",
    "History",
    "Identity",
    "ImportDraft",
    "ImportMapping",
    "Job",
    "LeftOut",
    "Mail",
    "Mailbox",
    "Notice",
    "NoticeEntry",
    "Operator",
    "Quarantine",
    "Run",
    "Sample",
    "Session",
    "Setting",
    "SignIn",
    "Subscription",
    "Task",
    "WayTrouble",
    "Webhook",
    "Worker",
]
