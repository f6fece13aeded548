"""Ids by which other systems know appointments: stable, and telling nothing of what they name.

An appointment is one meeting (UID) in one operator's calendar. Its id stays the same when Exchange
moves the item, when it is removed and comes back, and when the database is moved. It is made with
a salt, as who knows the UID of a meeting could else find it among another's private appointments.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable

from keepstep.store.models import Appointment, Setting

_NAME = "api_identity"
_LENGTH = 12


class Names:
    """Gives the ids of appointments; made for one request."""

    def __init__(self) -> None:
        self._salt = _salt()

    def of(self, mailbox: int, uid: str) -> str:
        """Give the id of the meeting of this UID in a mailbox's calendar."""
        made = hmac.digest(self._salt, f"{mailbox}\0{uid}".encode(), "sha256")
        return f"{mailbox}-{made[:_LENGTH].hex()}"

    def find(self, identities: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Give mailbox and UID of these ids; those that nothing stored has are left out."""
        wanted: dict[int, set[str]] = {}
        for each in identities:
            mailbox = _mailbox_of(each)
            if mailbox is not None:
                wanted.setdefault(mailbox, set()).add(each)
        found = {}
        for mailbox, names in wanted.items():
            uids = Appointment.objects.filter(mailbox=mailbox).values_list("uid", flat=True)
            for uid in uids.distinct().iterator(chunk_size=2000):
                name = self.of(mailbox, uid)
                if name in names:
                    found[name] = mailbox, uid
        return found


def _mailbox_of(identity: str) -> int | None:
    number, _, _ = identity.partition("-")
    fits = number.isascii() and number.isdigit() and len(number) <= 18
    return int(number) if fits else None


def _salt() -> bytes:
    found = Setting.objects.filter(name=_NAME).values_list("value", flat=True).first()
    if found is None:
        made = secrets.token_hex(32)
        row, _ = Setting.objects.get_or_create(name=_NAME, defaults={"value": made})
        found = row.value
    return bytes.fromhex(found)
