"""What was seen and decided, left out, set aside. None of it holds an appointment's text."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.db.models.sql.compiler import SQLCompiler

from keepstep.core.rules import Rule
from keepstep.store.models.operator import Mailbox


class TransactionNumber(models.Func):
    """The number of the transaction that writes, by PostgreSQL; 0 by SQLite, which has one writer.

    In the order of these numbers, and below the lowest that is still at work, the changes feed
    reads the history without gaps: rows get their ids before they are committed.
    """

    output_field = models.BigIntegerField()

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_: Any, **__: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        """Give the expression of the database."""
        if connection.vendor == "postgresql":
            return "(pg_current_xact_id()::text::bigint)", ()
        return "0", ()


class History(models.Model):
    """One change seen: when (UTC), of which item, what was done and the rule that decided.

    `xact` is set by the database, see `TransactionNumber`.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, db_index=False)
    uid = models.TextField()
    item_id = models.TextField()
    at = models.DateTimeField()
    what = models.CharField(max_length=12)
    rule = models.CharField(max_length=40)
    xact = models.BigIntegerField(db_default=TransactionNumber(), editable=False)

    class Meta:
        indexes = (
            models.Index(fields=("mailbox", "uid"), name="history_uid"),
            # Of rows by SQLite, all 0, the order of the ids is that of the feed.
            models.Index(fields=("xact", "id"), condition=Q(xact__gt=0), name="history_feed"),
        )

    def __str__(self) -> str:
        return f"{self.what} {self.uid}"


class LeftOut(models.Model):
    """An item that was read and left out: its version, so as not to read it again, and the rule.

    The rule is that it was over, or a condition of IsSkipAppointment (see `core.rules`).
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    item_id = models.TextField()
    change_key = models.TextField()
    last_modified = models.DateTimeField(null=True)
    rule = models.CharField(max_length=40, default=Rule.ENDED_BEFORE.value)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("mailbox", "item_id"), name="left_out_item"),
        )

    def __str__(self) -> str:
        return self.item_id


class Quarantine(models.Model):
    """An item that can't be read: tried again at its next change or on request."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    item_id = models.TextField()
    code = models.TextField()
    detail = models.TextField(default="")
    since = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("mailbox", "item_id"), name="quarantine_item"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.item_id}"
