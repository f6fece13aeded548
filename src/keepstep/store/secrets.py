"""Encryption of the settings that are secret, by a key that is not in the database."""

from __future__ import annotations

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keepstep import environment
from keepstep.core.errors import UsageError


def encrypt(text: str) -> str:
    """Give the text encrypted and signed, as ASCII."""
    return _fernet(environment.secret_keys()[0]).encrypt(text.encode()).decode()


def decrypt(name: str, token: str) -> str:
    """Give the text of the secret called `name`. Raises UsageError if the key has changed."""
    try:
        return _any_of(environment.secret_keys()).decrypt(token.encode()).decode()
    except (InvalidToken, UnicodeDecodeError):
        raise UsageError(
            f"{name}: what is stored can't be decrypted, the secret key is another one now."
            " Restore the file secret.key in KEEPSTEP_HOME (or KEEPSTEP_SECRET_KEY),"
            f" or set it again: keepstep settings set {name}=-"
        ) from None


def encrypted_anew(name: str, token: str) -> str:
    """Give the secret encrypted with the first of the keys. Raises UsageError as `decrypt`."""
    decrypt(name, token)
    return _any_of(environment.secret_keys()).rotate(token.encode()).decode()


def _any_of(keys: list[bytes]) -> MultiFernet:
    return MultiFernet([_fernet(key) for key in keys])


@cache
def _fernet(key: bytes) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"keepstep settings")
    return Fernet(base64.urlsafe_b64encode(derived.derive(key)))
