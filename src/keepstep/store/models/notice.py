"""Failure e-mails: whom they named, what waits to be sent, and how the sign-in fares."""

from __future__ import annotations

from django.db import models

from keepstep.store.models.operator import Mailbox


class Notice(models.Model):
    """A failure e-mail, open until every operator that it named is in step or off (UTC).

    `recipients` are those that it went to, who are told of the recovery too.
    """

    opened = models.DateTimeField()
    closed = models.DateTimeField(null=True)
    recipients = models.JSONField(default=list)

    class Meta:
        indexes = (models.Index(fields=("closed",), name="notice_closed"),)

    def __str__(self) -> str:
        return f"notice of {self.opened:%Y-%m-%d %H:%M}"


class NoticeEntry(models.Model):
    """An episode that a notice named: the mailbox, and since when (UTC) it failed.

    `over` says that it is in step or off, or was meanwhile.
    """

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE)
    since = models.DateTimeField()
    over = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("mailbox", "since"), name="notice_episode"),)

    def __str__(self) -> str:
        return f"mailbox {self.mailbox_id} since {self.since:%Y-%m-%d %H:%M}"


class Mail(models.Model):
    """An e-mail to be sent, or that was. All instants are UTC.

    `entries` is a list of {"operator", "code", "since"}, made into words when it is sent and
    emptied then. `message_id` is the same at each attempt. `claimed_until` keeps others off while
    one process sends it.
    """

    kind = models.CharField(max_length=10)
    message_id = models.TextField(unique=True)
    recipients = models.JSONField(default=list)
    entries = models.JSONField(default=list)
    created = models.DateTimeField()
    attempts = models.IntegerField(default=0)
    next_attempt = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    sent = models.DateTimeField(null=True)
    given_up = models.DateTimeField(null=True)
    problem = models.TextField(default="")

    class Meta:
        indexes = (
            models.Index(
                fields=("next_attempt",),
                condition=models.Q(sent=None, given_up=None),
                name="mail_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.created:%Y-%m-%d %H:%M}"


class SignIn(models.Model):
    """How a service account's sign-in fared last; no row: all is well.

    `account` is a fingerprint of address and credentials, so that changed ones begin anew.
    """

    account = models.TextField(primary_key=True)
    refusals = models.IntegerField()
    next_probe = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.refusals} refusals"
