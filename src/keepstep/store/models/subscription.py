"""Subscriptions: what Exchange promised to tell of."""

from __future__ import annotations

from django.db import models

from keepstep.store.models.operator import Mailbox


class Subscription(models.Model):
    """The subscription of a mailbox, or why there is none. All instants are UTC.

    `way` is push or streaming, "" where the last one was refused: `code` says why, by the
    catalogue, `retry_at` when it is asked for again. `address_key` is the part of the listener's
    address that is this subscription's own; without the secret key it gives no address. `address`
    and `folder_id` are those subscribed to, `watermark` is up to where was told.
    """

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE)
    way = models.CharField(max_length=10, default="", blank=True)
    subscription_id = models.TextField(default="", blank=True)
    address_key = models.CharField(max_length=40, default="", blank=True, db_index=True)
    address = models.TextField(default="", blank=True)
    folder_id = models.TextField(default="", blank=True)
    watermark = models.TextField(default="", blank=True)
    subscribed_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)
    code = models.TextField(default="", blank=True)
    retry_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.way or 'no'} subscription of mailbox {self.mailbox_id}"


class WayTrouble(models.Model):
    """Why a way of delivery does not serve here: a code of the catalogue, since when (UTC)."""

    way = models.CharField(max_length=10, primary_key=True)
    code = models.TextField()
    detail = models.TextField(default="", blank=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.way}: {self.code}"
