"""The tree of errors. Each carries a code of the catalogue (`failures`).

KeepstepError
 +-- UsageError      what a person asked for or set can't be done as it stands (exit status 2)
 +-- ExchangeError   Exchange, or the way to it, failed
 +-- StoreError      the database failed
 +-- SignInError     somebody can't be let in to the pages
 +-- FenceLost       another worker has taken the mailbox; no failure, the round ends silently
"""

from __future__ import annotations

from datetime import timedelta


class KeepstepError(Exception):
    """The root. `code` is a key of the catalogue, `detail` adds what is particular (no secrets)."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class UsageError(KeepstepError):
    """A setting, argument or file that can't be used; `str()` is one plain line."""

    def __init__(self, message: str, code: str = "usage") -> None:
        super().__init__(code, message)

    def __str__(self) -> str:
        return self.detail


class ExchangeError(KeepstepError):
    """A request to Exchange failed. `pause` is how long the server asked us to wait, if it did."""

    def __init__(self, code: str, detail: str = "", pause: timedelta | None = None) -> None:
        super().__init__(code, detail)
        self.pause = pause


class StoreError(KeepstepError):
    """The database can't be read or written now."""


class SignInError(KeepstepError):
    """Somebody can't be let in to the pages: `detail` is one short line, and no secret."""


class FenceLost(KeepstepError):
    """The mailbox was taken by another worker since we took it: nothing was written."""

    def __init__(self) -> None:
        super().__init__("fence-lost")
