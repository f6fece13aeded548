"""Who changed what, and when."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class AuditEntry(models.Model):
    """One change that a person made, at `at` (UTC).

    `by` is the account's e-mail address or "command line"; `action` is a word such as
    "settings.change", `subject` what was changed. `changes` is {field: [old, new]}, for a secret
    {field: "changed"}.
    """

    at = models.DateTimeField(default=timezone.now)
    by = models.TextField()
    action = models.CharField(max_length=40)
    subject = models.TextField(default="")
    changes = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=("subject",), name="audit_subject"),)

    def __str__(self) -> str:
        return f"{self.action} {self.subject} by {self.by}"
