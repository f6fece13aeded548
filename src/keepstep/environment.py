"""What the environment says: the data directory, the database, the secret key, traces or not.

The only place that reads environment variables, but for those by which the libraries of
OpenTelemetry set themselves up. A secret can also be given as NAME_FILE, the
path to a file that holds it.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from platformdirs import user_data_path

from keepstep.core.errors import UsageError

SQLITE_BUSY_SECONDS = 20
LARGEST_SECRET = 100_000


def home() -> Path:
    """Give the data directory, KEEPSTEP_HOME or the platform's; made (mode 0700) if missing.

    Raises UsageError where it can't be made.
    """
    named = os.environ.get("KEEPSTEP_HOME")
    path = Path(named).expanduser() if named else user_data_path("keepstep", appauthor=False)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"KEEPSTEP_HOME: can't use {path}: {error.strerror}.") from None
    if not os.access(path, os.R_OK | os.X_OK):
        raise UsageError(f"KEEPSTEP_HOME: can't use {path}: it is not for this user. {_OWNER}")
    return path


_OWNER = "Run keepstep as the user who owns it."


def variable(name: str) -> str | None:
    """Give the value of NAME, or the content of the file that NAME_FILE points to."""
    value = os.environ.get(name)
    if value:
        return value
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return None
    try:
        with Path(file).open(encoding="utf-8") as opened:
            text = opened.read(LARGEST_SECRET + 1).strip()
    except OSError as error:
        raise UsageError(f"{name}_FILE: can't read {file}: {error.strerror}.") from None
    except ValueError:  # also a path that can't be one
        raise UsageError(f"{name}_FILE: {file[:100]!r} is no file of UTF-8 text.") from None
    if not text or len(text) > LARGEST_SECRET:
        problem = f"is larger than {LARGEST_SECRET} characters" if text else "is empty"
        raise UsageError(f"{name}_FILE: {file} {problem}.")
    return text


SECRET_KEY = "KEEPSTEP_SECRET_KEY"  # noqa: S105 - the name of a variable
NEW_SECRET_KEY = "KEEPSTEP_NEW_SECRET_KEY"  # noqa: S105 - the name of a variable


def secret_key() -> bytes:
    """Give the key that encrypts secrets: KEEPSTEP_SECRET_KEY, or the file `secret.key` at home.

    The file is made with mode 0600 at the first call.
    """
    given = variable(SECRET_KEY)
    if given:
        return given.encode()
    path = home() / "secret.key"
    if not path.exists():
        make_key(path)
    return _existing_key(path)


def secret_keys() -> list[bytes]:
    """Give the keys that stored secrets may be encrypted with; the first is for new ones.

    There is more than one only while the key is changed: a new one in `secret.key.new` (or
    KEEPSTEP_NEW_SECRET_KEY), an old one in `secret.key.old`.
    """
    if variable(SECRET_KEY):
        new = variable(NEW_SECRET_KEY)
        return [*([new.encode()] if new else []), secret_key()]
    new_file, old_file = home() / "secret.key.new", home() / "secret.key.old"
    keys = [_existing_key(new_file)] if new_file.exists() else []
    # The new file takes the place of the key, so it is looked for first, and the key then.
    keys.append(secret_key())
    if old_file.exists():
        keys.append(_existing_key(old_file))
    return keys


def make_key(path: Path) -> None:
    """Write a new key, whole or not at all; of two processes that do so the first one wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_urlsafe(48).encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    except OSError as error:
        raise UsageError(f"can't write {path}: {error.strerror}.") from None


def _existing_key(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            key = file.read(LARGEST_SECRET).strip()
    except PermissionError as error:
        raise UsageError(f"can't read {path}: {error.strerror}. {_OWNER}") from None
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}.") from None
    if not key:
        raise UsageError(
            f"{path} is empty: restore it from a back-up, or remove it and set the secrets again."
        )
    return key


def traces_wanted() -> bool:
    """Say whether traces are to be sent: an endpoint for them is named, and they are not off."""
    said = {name: os.environ.get(f"OTEL_{name}", "").strip().lower() for name in _TRACES}
    named = said["EXPORTER_OTLP_TRACES_ENDPOINT"] or said["EXPORTER_OTLP_ENDPOINT"]
    return bool(named) and said["SDK_DISABLED"] != "true" and said["TRACES_EXPORTER"] != "none"


_TRACES = (
    "EXPORTER_OTLP_ENDPOINT",
    "EXPORTER_OTLP_TRACES_ENDPOINT",
    "SDK_DISABLED",
    "TRACES_EXPORTER",
)


def database() -> dict[str, object]:
    """Give Django's description of the database that KEEPSTEP_DATABASE_URL names.

    The default is the SQLite file `keepstep.sqlite3` at home. Raises UsageError for a URL that
    can't be understood.
    """
    url = variable(DATABASE_URL)
    return described(url, DATABASE_URL) if url else _sqlite(str(home() / "keepstep.sqlite3"))


DATABASE_URL = "KEEPSTEP_DATABASE_URL"


def described(url: str, said_by: str) -> dict[str, object]:
    """Give Django's description of the database at a URL.

    `said_by` is the variable or option that gave it. Raises UsageError for a URL that can't be
    understood.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UsageError(f"{said_by} is no URL: look at its host.") from None
    if parts.scheme == "sqlite":
        file = unquote(url).removeprefix("sqlite:///")
        if not file or file.startswith("sqlite:"):
            raise UsageError(f"{said_by}: sqlite:///FILE lacks the file.")
        return _sqlite(file)
    if parts.scheme in {"postgresql", "postgres"}:
        return _postgresql(url, said_by)
    raise UsageError(
        f"{said_by} must begin with sqlite:/// or postgresql://,"
        f" not with {parts.scheme or 'no scheme'!r}."
    )


def _sqlite(file: str) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "OPTIONS": {
            "timeout": SQLITE_BUSY_SECONDS,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            " PRAGMA secure_delete=ON;",
        },
    }


# What a process has locked when it stops, or its network does, is free again after so long.
_NOT_FROZEN = "-c idle_in_transaction_session_timeout=15s"


def _postgresql(url: str, said_by: str = DATABASE_URL) -> dict[str, object]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise UsageError(f"{said_by}: the port is no number.") from None
    name = unquote(parts.path.lstrip("/"))
    options = dict(parse_qsl(parts.query))
    if not name:
        raise UsageError(f"{said_by}: postgresql:// lacks the database's name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": variable("KEEPSTEP_DATABASE_PASSWORD") or unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(port or ""),
        "OPTIONS": options | {"options": f"{_NOT_FROZEN} {options.get('options', '')}".strip()},
    }
