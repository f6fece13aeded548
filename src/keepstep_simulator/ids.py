"""Item ids, change keys, sync states: opaque, case-sensitive base64 with ``+`` and ``/``.

Shaped like those of a real server (lengths and fixed bytes as in published answers), but made of
nothing but the mailbox, a counter and a seed.
"""

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MAIL_PART = 40
_ITEM = b"\x00\x46\x00\x00\x00\x00\x00"
_FOLDER = b"\x00\x2e\x00\x00\x00\x00\x00"
_OCCURRENCE = b"\x01\x51\x00\x08\x08"
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_CHANGE_KEY_HEAD = b"\x0f\x00\x00\x00\x16\x00\x00\x00"
_STATE_HEAD = b"\x1f\x8b\x08\x00KSS1"
_WATERMARK_HEAD = b"\x01\x00\x00\x00"


class BadId(ValueError):
    """An id that is not one of ours."""


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _raw(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadId(text) from error


class IdMaker:
    """Makes the ids of one mailbox, always the same for the same seed and e-mail address."""

    def __init__(self, seed: int, email: str) -> None:
        """Take the seed of the simulator and the address of the mailbox."""
        digest = hashlib.sha512(f"{seed}:{email.lower()}".encode()).digest()
        guid = digest[:16].hex()
        mail = f"{guid[:8]}-{guid[8:12]}-{guid[12:16]}-{guid[16:20]}-{guid[20:]}"
        self._mail_part = b"\x00\x03\x24\x00" + mail.encode("ascii")
        self._store = digest[16:32]
        self._replica = digest[32:48]
        self._salt = digest[48:64]

    def folder(self, name: str) -> str:
        """Give the id of a folder."""
        place = hashlib.sha256(self._salt + name.encode()).digest()[:6]
        tail = self._store + b"\x01\x00" + self._replica + place + b"\x00\x00"
        return _text(self._mail_part + _FOLDER + tail)

    def item(self, number: int, length: int | None = None) -> str:
        """Give the id of the item with that number, of ``length`` characters (a multiple of 4)."""
        mixed = hashlib.sha256(self._salt + number.to_bytes(8, "big")).digest()
        tail = b"\x07\x00" + self._replica + mixed[:6] + b"\x00\x00\x00\x00\x01\x0d\x00\x00"
        raw = self._mail_part + _ITEM + self._store + tail + number.to_bytes(6, "big") + mixed[6:12]
        if length is not None:
            raw += (mixed * 16)[: length // 4 * 3 - len(raw)]
        else:
            raw += b"\x00\x00"
        return _text(raw)

    def change_key(self, version: int) -> str:
        """Give a change key; every version of an item has another."""
        mixed = hashlib.sha256(self._salt + b"ck" + version.to_bytes(8, "big")).digest()[:6]
        return _text(_CHANGE_KEY_HEAD + self._replica + version.to_bytes(4, "big") + mixed[:2])

    def folder_mark(self, name: str) -> bytes:
        """Eight bytes that bind a sync state to one folder of one mailbox."""
        return hashlib.sha256(self._salt + b"sync" + name.encode()).digest()[:8]


def case_twin(item_id: str) -> str:
    """Another well-formed id that differs from this one by the case of one letter only."""
    for place in range(len(item_id) - 5, 0, -1):
        if item_id[place].isalpha():
            return item_id[:place] + item_id[place].swapcase() + item_id[place + 1 :]
    raise BadId(item_id)


def occurrence_id(master_id: str, original_start: datetime) -> str:
    """Give the id of an occurrence, derived from its master's and the original start."""
    raw = _raw(master_id)
    ticks = (original_start - _EPOCH) // timedelta(microseconds=1)
    stamp = _OCCURRENCE + struct.pack(">Q", ticks)
    return _text(raw[:_MAIL_PART] + stamp + raw[_MAIL_PART:])


def split_occurrence_id(item_id: str) -> tuple[str, datetime] | None:
    """Master's id and original start of an occurrence's id; None if it is no such id."""
    try:
        raw = _raw(item_id)
    except BadId:
        return None
    at = _MAIL_PART + len(_OCCURRENCE)
    if raw[_MAIL_PART:at] != _OCCURRENCE or len(raw) < at + 8:
        return None
    (ticks,) = struct.unpack(">Q", raw[at : at + 8])
    try:
        original = _EPOCH + timedelta(microseconds=ticks)
    except OverflowError:
        return None
    return _text(raw[:_MAIL_PART] + raw[at + 8 :]), original


def is_well_formed(item_id: str) -> bool:
    """Whether a server would take it for an id at all (else it is malformed)."""
    try:
        raw = _raw(item_id)
    except BadId:
        return False
    return raw[:4] == b"\x00\x03\x24\x00" and len(raw) > _MAIL_PART


@dataclass(frozen=True, slots=True)
class SyncState:
    """What a client has seen: disjoint intervals of change numbers, both ends included.

    ``generation`` rises when the server forgets its states; ``serial`` makes each state other
    than the last, also when nothing changed.
    """

    seen: tuple[tuple[int, int], ...] = ()
    generation: int = 0
    serial: int = 0


def encode_state(state: SyncState, mark: bytes) -> str:
    """Give the opaque text of a state of the folder with that mark."""
    numbers = [state.generation, state.serial, len(state.seen)]
    numbers += [number for interval in state.seen for number in interval]
    body = mark + struct.pack(f">{len(numbers)}Q", *numbers)
    return _text(_STATE_HEAD + body + hashlib.sha256(body).digest())


def decode_state(text: str, mark: bytes) -> SyncState:
    """Give the state of a text; BadId if it is garbage, or of another folder."""
    raw = _raw(text)
    head, tail = len(_STATE_HEAD), 32
    body = raw[head:-tail]
    if raw[:head] != _STATE_HEAD or hashlib.sha256(body).digest() != raw[-tail:]:
        raise BadId("state")
    if body[:8] != mark or len(body) % 8 or len(body) < 32:
        raise BadId("state of another folder")
    numbers = struct.unpack(f">{len(body) // 8 - 1}Q", body[8:])
    bounds = numbers[3:]
    if len(bounds) != 2 * numbers[2]:
        raise BadId("state")
    seen = tuple(zip(bounds[::2], bounds[1::2], strict=True))
    return SyncState(seen, numbers[0], numbers[1])


@dataclass(frozen=True, slots=True)
class Watermark:
    """A place in a mailbox's events: ``number`` is the last told, ``seconds`` when it was given.

    ``generation`` rises when the server forgets its watermarks; ``seconds`` are since 1970.
    """

    number: int
    seconds: int
    generation: int = 0


def encode_watermark(watermark: Watermark, mark: bytes) -> str:
    """Give the opaque text of a watermark of the mailbox with that mark (eight bytes)."""
    numbers = struct.pack(">QQL", watermark.number, watermark.seconds, watermark.generation)
    return _text(_WATERMARK_HEAD + mark + numbers)


def decode_watermark(text: str, mark: bytes) -> Watermark:
    """Give the watermark of a text; BadId if it is garbage, or of another mailbox."""
    raw = _raw(text)
    head = _WATERMARK_HEAD + mark
    if not raw.startswith(head) or len(raw) != len(head) + 20:
        raise BadId("watermark")
    return Watermark(*struct.unpack(">QQL", raw[len(head) :]))


def subscription_id(server: str, random: bytes) -> str:
    """Give the id of a subscription: the server that keeps it, and sixteen bytes of its own."""
    name = server.encode("ascii")
    return _text(struct.pack("<H", len(name)) + name + struct.pack("<L", len(random)) + random)
