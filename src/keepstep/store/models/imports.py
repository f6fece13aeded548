"""What the Data Import wizard keeps: named mappings of columns, and files between its steps."""

from __future__ import annotations

from uuid import uuid4

from django.db import models

from keepstep.store.models.account import Account


class ImportMapping(models.Model):
    """Which headings are which fields, under a name: {heading: field or null}."""

    name = models.CharField(max_length=60, unique=True)
    columns = models.JSONField(default=dict)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class ImportDraft(models.Model):
    """A file that an account has uploaded and not yet imported, or the rows that were refused.

    `table` is what was read of the file, packed by `store.import_drafts`. `columns` is a list of
    fields, null for a column that is ignored. Instants are UTC; `imported` is when it was loaded,
    since then only refused rows are kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    created = models.DateTimeField()
    imported = models.DateTimeField(null=True)
    file_name = models.TextField()
    table = models.BinaryField()
    purpose = models.CharField(max_length=13)
    columns = models.JSONField(default=list)
    result = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=("created",), name="import_draft_created"),)

    def __str__(self) -> str:
        return f"{self.file_name} of {self.account_id}"
