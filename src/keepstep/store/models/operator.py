"""Operators and their mailboxes."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower


class Operator(models.Model):
    """A person of the sales team. `time_zone` is an IANA name."""

    email = models.TextField()
    name = models.TextField(blank=True, default="")
    calendar_sync = models.BooleanField(default=False)
    access_group = models.TextField(blank=True, default="")
    time_zone = models.TextField(default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("email",)
        constraints = (models.UniqueConstraint(Lower("email"), name="operator_email"),)
        indexes = (models.Index(fields=("access_group",), name="operator_group"),)

    def __str__(self) -> str:
        return self.email


class Mailbox(models.Model):
    """An operator's Exchange mailbox as Keepstep tracks it. All instants are UTC.

    `fence` rises each time a worker takes the mailbox; every write names the fence it was taken
    with. `cutoff` is fixed when the first round begins. `full_round` numbers the full rounds,
    `in_full_round` says that the last one has not come to its end, `unsettled` that pages of
    a round were stored whose removals are still pending. `paused_until` is when a pause that
    Exchange named is over. `address` is the e-mail address that
    `folder_id` and `sync_state` belong to. Until `covered_until` notifications tell of changes;
    `delay` is how many seconds after a change was made in Exchange it was last stored.
    """

    operator = models.OneToOneField(Operator, on_delete=models.CASCADE)
    address = models.TextField(default="")
    folder_id = models.TextField(default="")
    sync_state = models.TextField(default="")
    fence = models.BigIntegerField(default=0)
    cutoff = models.DateTimeField(null=True)
    last_success = models.DateTimeField(null=True)
    full_round = models.IntegerField(default=0)
    in_full_round = models.BooleanField(default=False)
    full_round_wanted = models.BooleanField(default=False)
    unsettled = models.BooleanField(default=False)
    failures = models.IntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    failure_code = models.TextField(default="")
    failure_detail = models.TextField(default="")
    next_attempt = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    covered_until = models.DateTimeField(null=True)
    delay = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"mailbox of {self.operator_id}"
