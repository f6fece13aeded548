"""Addresses at which other programs subscribe to a calendar."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from keepstep.store.models.operator import Operator


class CalendarAddress(models.Model):
    """Lets whoever knows the token read a calendar: an operator's, or an access group's ("team").

    `digest` is of the token, which is stored nowhere. Instants are UTC: `last_read` to the hour,
    `changed_at` when what it gives, known by `etag`, was last seen to be another.
    """

    operator = models.OneToOneField(
        Operator, null=True, on_delete=models.CASCADE, related_name="calendar_address"
    )
    access_group = models.TextField(default="")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    last_read = models.DateTimeField(null=True)
    etag = models.CharField(max_length=64, default="")
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("access_group",),
                condition=Q(operator__isnull=True),
                name="calendar_address_team",
            ),
            models.CheckConstraint(
                condition=Q(operator__isnull=False, access_group="")
                | (Q(operator__isnull=True) & ~Q(access_group="")),
                name="calendar_address_of_one",
            ),
        )

    def __str__(self) -> str:
        return f"calendar address of {self.operator_id or self.access_group}"
