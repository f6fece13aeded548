"""Application settings that were changed from their default."""

from __future__ import annotations

from django.db import models


class Setting(models.Model):
    """One application setting, by name; `value` as text, a secret one encrypted."""

    name = models.TextField(primary_key=True)
    value = models.TextField()
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name
