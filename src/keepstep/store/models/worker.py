"""Processes that share the work."""

from __future__ import annotations

from django.db import models


class Worker(models.Model):
    """A process at work on this database. Instants are UTC, by the database's own clock.

    `kind` is serve or worker, `backend` the number of its database session that holds its turns,
    `shards` how many it has in hand, `overtaken` how many of its writes were refused because
    another had taken the mailbox.
    """

    name = models.CharField(max_length=36, primary_key=True)
    host = models.TextField()
    pid = models.IntegerField()
    kind = models.CharField(max_length=10)
    version = models.TextField()
    backend = models.IntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    leads = models.BooleanField(default=False)
    shards = models.IntegerField(default=0)
    overtaken = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.kind} {self.host}:{self.pid}"
