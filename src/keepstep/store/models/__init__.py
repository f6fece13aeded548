"""The tables: one file per subject."""

from keepstep.store.models.appointment import Appointment
from keepstep.store.models.audit import AuditEntry
from keepstep.store.models.history import History, LeftOut, Quarantine
from keepstep.store.models.job import Job, Run
from keepstep.store.models.notice import Mail, Notice, NoticeEntry, SignIn
from keepstep.store.models.operator import Mailbox, Operator
from keepstep.store.models.setting import Setting

__all__ = [
    "Appointment",
    "AuditEntry",
    "History",
    "Job",
    "LeftOut",
    "Mail",
    "Mailbox",
    "Notice",
    "NoticeEntry",
    "Operator",
    "Quarantine",
    "Run",
    "Setting",
    "SignIn",
]
