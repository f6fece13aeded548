"""Changing the key that encrypts secrets: no instant of it, and no crash, loses one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from keepstep import environment
from keepstep.core.errors import UsageError
from keepstep.store import rotation, settings
from keepstep.store.models import Setting

pytestmark = pytest.mark.usefixtures("database", "home")


def stored() -> str:
    return Setting.objects.get(name="password").value


def key_files() -> list[str]:
    return sorted(each.name for each in environment.home().glob("secret.key*"))


def key() -> bytes:
    return environment.home().joinpath("secret.key").read_bytes()


@pytest.fixture
def before() -> str:
    """The password as it is stored before, encrypted with the first key."""
    settings.change({"password": "pässwörd", "oauth_client_secret": "client"})
    return stored()


def readable() -> bool:
    loaded = settings.load()
    return (loaded.password, loaded.oauth_client_secret) == ("pässwörd", "client")


def test_all_secrets_are_encrypted_with_a_new_key(before: str) -> None:
    old_key = key()
    assert rotation.rotate() == 2
    assert stored() != before
    assert key() != old_key
    assert key_files() == ["secret.key"]
    assert environment.home().joinpath("secret.key").stat().st_mode & 0o777 == 0o600
    assert readable()


def test_the_old_key_opens_nothing_any_more(before: str) -> None:
    old_key = key()
    rotation.rotate()
    environment.home().joinpath("secret.key").write_bytes(old_key)
    with pytest.raises(UsageError, match="can't be decrypted"):
        settings.load()


class Crash(Exception):
    """The process ends here."""


def crashing_at(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process crash before its file operation number `place`, of those of a rotation."""
    count = 0

    def counted(inner: Callable[..., object]) -> Callable[..., object]:
        def act(*arguments: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count > place:
                raise Crash
            return inner(*arguments, **named)

        return act

    monkeypatch.setattr(os, "link", counted(os.link))
    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    monkeypatch.setattr(Path, "unlink", counted(Path.unlink))
    monkeypatch.setattr(Setting, "save", counted(Setting.save))


@pytest.mark.parametrize("place", range(14))
def test_a_crash_at_any_instant_loses_nothing_and_is_mended_by_the_next_time(
    before: str, place: int
) -> None:
    old_key = key()
    with pytest.MonkeyPatch.context() as patch:
        crashing_at(place, patch)
        try:
            rotation.rotate()
        except Crash:
            crashed = True
        else:
            crashed = False
    assert crashed == (place < 13)
    assert readable()
    settings.change({"password": "pässwörd"})
    assert readable()
    rotation.rotate()
    assert readable()
    assert [each for each in key_files() if not each.split(".")[-1].isdigit()] == ["secret.key"]
    assert key() != old_key


def test_what_was_encrypted_with_the_old_key_meanwhile_is_not_lost(
    before: str, tmp_path: Path
) -> None:
    old_key = tmp_path / "old"
    shutil.copy(environment.home() / "secret.key", old_key)
    rotation.rotate()
    # As if a slow process had stored what it encrypted before, and the old key were not gone yet.
    shutil.copy(old_key, environment.home() / "secret.key.old")
    Setting.objects.filter(name="password").update(value=before)
    assert readable()
    rotation.rotate()
    assert key_files() == ["secret.key"]
    assert readable()


def test_a_key_of_the_environment_is_changed_to_the_one_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEEPSTEP_SECRET_KEY", "first")
    settings.change({"password": "pässwörd", "oauth_client_secret": "client"})
    with pytest.raises(UsageError, match="KEEPSTEP_NEW_SECRET_KEY"):
        rotation.rotate()
    monkeypatch.setenv("KEEPSTEP_NEW_SECRET_KEY", "second")
    assert rotation.rotate() == 2
    assert readable()
    monkeypatch.delenv("KEEPSTEP_NEW_SECRET_KEY")
    monkeypatch.setenv("KEEPSTEP_SECRET_KEY", "second")
    assert readable()


def test_a_lost_key_is_said_and_nothing_changes(before: str) -> None:
    environment.home().joinpath("secret.key").write_bytes(b"another")
    with pytest.raises(UsageError, match="can't be decrypted"):
        rotation.rotate()
    assert stored() == before
