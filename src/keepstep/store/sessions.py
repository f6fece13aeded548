"""The sessions of the pages: Django's, in a table that knows whose each is."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from keepstep.store.models import Account
from keepstep.store.models.session import Session


class SessionStore(DatabaseStore):
    """Django's store of sessions, which also notes the account."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Give the table."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Give the row to be stored for what a session holds."""
        session = super().create_model_instance(data)
        assert isinstance(session, Session)
        session.account_id = data.get(SESSION_KEY)
        return session


def end_all(account: Account) -> None:
    """End every session of the account; call it in the transaction of the change."""
    Session.objects.filter(account=account).delete()
