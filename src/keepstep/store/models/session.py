"""Sessions of those who have signed in, each known by its account: they can be ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from keepstep.store.models.account import Account

if TYPE_CHECKING:
    from django.contrib.sessions.backends.db import SessionStore


class Session(AbstractBaseSession):
    """A browser that was let in; `account` is None where nobody has signed in yet.

    It goes with the account.
    """

    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE)

    def __str__(self) -> str:
        return f"session of account {self.account_id}"

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        """Give what reads and writes these sessions."""
        from keepstep.store.sessions import SessionStore as OurStore

        return OurStore
