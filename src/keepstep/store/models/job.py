"""Job schedulers and their runs."""

from __future__ import annotations

from django.db import models


class Job(models.Model):
    """A job scheduler: one that an administrator added, or what was changed of a shipped one.

    `schedule` is minutes ("5") or a cron line, `context` is "system" or an access group; NULL: as
    shipped. `kind` is that of an added one, the name of the shipped job that does the same; "" for
    a shipped one.
    """

    name = models.TextField(unique=True)
    kind = models.TextField(default="")
    enabled = models.BooleanField(null=True)
    schedule = models.TextField(null=True)
    context = models.TextField(null=True)

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """One run of a job: from when to when (UTC), what it did, and what failed (JSON)."""

    job = models.TextField()
    trigger = models.CharField(max_length=10)
    started = models.DateTimeField()
    finished = models.DateTimeField(null=True)
    mailboxes = models.IntegerField(default=0)
    succeeded = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    created = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    removed = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)
    requests = models.IntegerField(default=0)
    failures = models.JSONField(default=list)

    class Meta:
        indexes = (models.Index(fields=("job", "started"), name="run_started"),)

    def __str__(self) -> str:
        return f"{self.job} {self.started:%Y-%m-%d %H:%M:%S}"

    @property
    def took(self) -> str:
        """Give how long it took, as a person reads it; "" while it goes on."""
        if self.finished is None:
            return ""
        seconds = (self.finished - self.started).total_seconds()
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
