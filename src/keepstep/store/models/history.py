"""What was seen and decided, left out, set aside. None of it holds an appointment's text."""

from __future__ import annotations

from django.db import models

from keepstep.core.rules import Rule
from keepstep.store.models.operator import Mailbox


class History(models.Model):
    """One change seen: when (UTC), of which item, what was done and the rule that decided."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, db_index=False)
    uid = models.TextField()
    item_id = models.TextField()
    at = models.DateTimeField()
    what = models.CharField(max_length=12)
    rule = models.CharField(max_length=40)

    class Meta:
        indexes = (models.Index(fields=("mailbox", "uid"), name="history_uid"),)

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
