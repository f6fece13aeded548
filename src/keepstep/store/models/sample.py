"""How the whole fared, noted every few minutes: what the health page draws its lines from."""

from __future__ import annotations

from django.db import models


class Sample(models.Model):
    """How far behind the mailboxes were at an instant (UTC), in seconds; NULL: none was in step."""

    at = models.DateTimeField(unique=True)
    mailboxes = models.IntegerField()
    failing = models.IntegerField()
    slowest = models.FloatField(null=True)
    most = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"
