"""Whether people may sign in by password, or by single sign-on alone."""

from __future__ import annotations

from keepstep.core.errors import SignInError
from keepstep.store.settings import load


def passwords_let_in() -> bool:
    """Say whether they do: the setting `sso_passwords`."""
    return load(with_secrets=False).sso_passwords


def check_passwords() -> None:
    """Raise SignInError passwords-off where they do not."""
    if not passwords_let_in():
        raise SignInError("passwords-off")
