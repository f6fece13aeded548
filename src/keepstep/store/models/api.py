"""What other systems come in by, and what is sent to them."""

from __future__ import annotations

from django.db import models

from keepstep.store.models.account import Account
from keepstep.store.models.operator import Mailbox


class ApiToken(models.Model):
    """A token by which a program uses the API as an account. All instants are UTC.

    Of the token itself only `digest`, its SHA-256, is kept, and `hint`, with which it begins.
    `scopes` is a list of `core.scopes.Scope`. `expires_at` NULL: never. `last_used_at` is noted
    at most once a minute.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.TextField()
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=20)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


class Webhook(models.Model):
    """An address that is told of appointment changes. All instants are UTC.

    `secret` signs what is sent; it is kept encrypted. `events` is a list of `core.feed.Event`,
    empty: all. `cursor` is how far in the changes feed deliveries have been made.
    """

    url = models.TextField()
    secret = models.TextField()
    events = models.JSONField(default=list)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    cursor = models.TextField(default="")
    last_success_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """Changes of one operator that are to be told to a webhook; it goes once they were taken.

    `body` is what is sent, JSON. `attempts` failed so far, the last by `problem`; the next one is
    due at `next_attempt` (UTC). `dead_at`: given up, until a person has it tried again.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    body = models.JSONField()
    created_at = models.DateTimeField()
    attempts = models.IntegerField(default=0)
    next_attempt = models.DateTimeField()
    problem = models.TextField(default="")
    dead_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("webhook", "dead_at"), name="delivery_waiting"),)

    def __str__(self) -> str:
        return f"delivery {self.pk} to {self.webhook_id}"
