"""Changing the key that encrypts secrets, so that a crash at any instant loses none.

The order: the new key is written beside the old; all secrets are encrypted anew in one
transaction; the old key is put aside and the new one takes its place; what another process
encrypted with the old key meanwhile is encrypted anew; only then the old key goes. Whoever reads
in between tries both, and whoever finds the work half done begins it again, which finishes it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from django.db import connection, transaction

from keepstep import environment
from keepstep.core.errors import UsageError
from keepstep.store import audit
from keepstep.store.models import Setting, Webhook
from keepstep.store.secrets import encrypted_anew
from keepstep.store.setting_rules import RULES


def rotate(*, by: str = audit.COMMAND_LINE) -> int:
    """Change the key; give how many secrets were encrypted anew.

    A key from the environment is changed to KEEPSTEP_NEW_SECRET_KEY, which is to take its place
    there afterwards. Raises UsageError where that is not given, where a secret can't be
    decrypted, and where a key file can't be written; nothing is lost then.
    """
    if environment.variable(environment.SECRET_KEY):
        if not environment.variable(environment.NEW_SECRET_KEY):
            raise UsageError(
                "the key comes from KEEPSTEP_SECRET_KEY: give the one that shall follow it as"
                " KEEPSTEP_NEW_SECRET_KEY (or KEEPSTEP_NEW_SECRET_KEY_FILE)."
            )
        return encrypt_anew(by)
    key = environment.home() / "secret.key"
    new, old = key.with_name("secret.key.new"), key.with_name("secret.key.old")
    environment.secret_key()
    if not old.exists() and not new.exists():
        environment.make_key(new)
        _settle(key.parent)
    try:
        return _take_over(key, new, old, by)
    except OSError as error:
        raise UsageError(f"can't write {error.filename}: {error.strerror}.") from None


def _take_over(key: Path, new: Path, old: Path, by: str) -> int:
    count = encrypt_anew(by)
    if new.exists():
        # A link that a crash left holds the same key: this one, not yet replaced.
        with suppress(FileExistsError):
            os.link(key, old)
        new.replace(key)
        _settle(key.parent)
    encrypt_anew()
    old.unlink(missing_ok=True)
    _settle(key.parent)
    return count


def encrypt_anew(by: str | None = None) -> int:
    """Encrypt every stored secret with the first of the keys, all or none; give how many.

    `by` is who asked for it, for the audit; None: it was noted already.
    """
    secret = [name for name, rule in RULES.items() if rule.secret]
    if connection.vendor == "sqlite":
        # What is committed has to be on the disk before the old key is no more.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")
    with transaction.atomic():
        stored = list(Setting.objects.select_for_update().filter(name__in=secret))
        for each in stored:
            each.value = encrypted_anew(each.name, each.value)
            each.save(update_fields=["value"])
        hooks = list(Webhook.objects.select_for_update())
        for hook in hooks:
            hook.secret = encrypted_anew(f"the secret of webhook {hook.pk}", hook.secret)
            hook.save(update_fields=["secret"])
        if by is not None:
            audit.record(by, "secrets.rotate", "", {"key": audit.CHANGED})
    return len(stored) + len(hooks)


def _settle(folder: Path) -> None:
    """Have the changed names of a directory written to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
