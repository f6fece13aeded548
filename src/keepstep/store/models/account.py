"""Accounts: those who may sign in to the pages, and work that goes on for one of them."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from keepstep.core.roles import Role
from keepstep.store.models.operator import Operator


class AccountManager(BaseUserManager["Account"]):
    """Finds accounts by e-mail address, in any case."""

    def get_by_natural_key(self, username: str | None) -> Account:
        """Give the account of an e-mail address. Raises Account.DoesNotExist."""
        return self.get(email__iexact=(username or "").strip())


class Account(AbstractBaseUser):
    """A person who signs in. `operator` is whose calendar is "mine": always set for an operator.

    `language` is one of the languages of the pages, "" for the browser's.
    """

    email = models.TextField()
    role = models.CharField(max_length=13, choices=[(each.value, each.value) for each in Role])
    operator = models.OneToOneField(
        Operator, null=True, blank=True, on_delete=models.CASCADE, related_name="account"
    )
    is_active = models.BooleanField(default=True)
    language = models.CharField(max_length=5, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    objects = AccountManager()

    class Meta:
        ordering = ("email",)
        constraints = (models.UniqueConstraint(Lower("email"), name="account_email"),)

    def __str__(self) -> str:
        return self.email


class Task(models.Model):
    """Work that a page has begun: how far it is, what it showed, how it ended (UTC).

    `lines` is a list of objects, one for each step shown; `result` is what it gave, `problem` why
    it could not be done. `touched` is when it was last heard of.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20)
    started = models.DateTimeField()
    touched = models.DateTimeField()
    finished = models.DateTimeField(null=True)
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    lines = models.JSONField(default=list)
    result = models.JSONField(default=dict)
    problem = models.TextField(default="")

    def __str__(self) -> str:
        return f"{self.kind} of {self.started:%Y-%m-%d %H:%M}"
