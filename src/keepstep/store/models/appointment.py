"""The sales calendar: one row for an appointment, or for one part of a series."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from keepstep.core.decisions import RowState
from keepstep.store.models.operator import Mailbox


class Appointment(models.Model):
    """A row of the sales calendar, keyed by mailbox, item id and part.

    `part` is 0 for the appointment itself, 1 and up for records of a series' past. `start` and
    `end` are the first occurrence's, `span_start` and `span_end` the whole series' (no end:
    NULL); all UTC. `people`, `series`, `zone` and `shown` are JSON, see `store.rows`.
    `listed_in` is the number of the last full round that listed the item.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    item_id = models.TextField()
    part = models.IntegerField(default=0)
    change_key = models.TextField(default="")
    last_modified = models.DateTimeField(null=True)
    uid = models.TextField()
    state = models.CharField(max_length=8, default=RowState.LIVE.value)
    state_since = models.DateTimeField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    span_start = models.DateTimeField()
    span_end = models.DateTimeField(null=True)
    all_day = models.BooleanField(default=False)
    time_zone = models.TextField(default="UTC")
    subject = models.TextField(default="")
    location = models.TextField(default="")
    body = models.TextField(default="")
    sensitivity = models.CharField(max_length=12, default="normal")
    show_as = models.CharField(max_length=17, default="busy")
    cancelled = models.BooleanField(default=False)
    masked = models.BooleanField(default=False)
    people = models.TextField(default="")
    series = models.TextField(default="")
    zone = models.TextField(default="")
    shown = models.TextField(default="")
    warnings = models.TextField(default="")
    listed_in = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("mailbox", "item_id", "part"), name="appointment_identity"
            ),
        )
        indexes = (
            models.Index(fields=("mailbox", "uid"), name="appointment_uid"),
            models.Index(fields=("mailbox", "span_end"), name="appointment_span"),
            models.Index(
                fields=("mailbox",),
                condition=Q(state__in=("pending", "held")),
                name="appointment_unsettled",
            ),
        )

    def __str__(self) -> str:
        return f"{self.uid} in {self.mailbox_id}"
