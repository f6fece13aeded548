"""One HTTP answer that holds many SOAP envelopes, one after the other, split as its pieces come.

A stream of GetStreamingEvents is no XML document: each envelope is one, with or without an XML
declaration. Where one ends is found by counting tags, so it is given out with its last byte,
whatever the pieces; whether it is well-formed is for the parser to say.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from keepstep.core.errors import ExchangeError

MOST_BYTES = 8 * 1024 * 1024
"""Of one envelope: 200 subscriptions that each tell of a burst need no more."""
MOST_LEVELS = 100
"""How deep the elements of one envelope may stand in each other."""

_SPACE = b" \t\r\n\xef\xbb\xbf"  # between envelopes, the mark of UTF-8 included
_SPACES = re.compile(rb"[ \t\r\n\xef\xbb\xbf]+")
_SECTIONS = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_LONGEST_OPENING = max(map(len, _SECTIONS))
_QUOTE_OR_END = re.compile(rb"[\"'>]")


class _In(Enum):
    """Where the reading stands."""

    TEXT = auto()
    MARKUP = auto()  # behind a "<", before it is clear what it opens
    TAG = auto()
    SECTION = auto()  # what ends with a fixed word: a comment, CDATA, an instruction


class EnvelopeSplitter:
    """Takes pieces of an answer, gives envelopes; never holds more than one and a piece."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_levels: int = MOST_LEVELS) -> None:
        self._most_bytes = most_bytes
        self._most_levels = most_levels
        self._held = bytearray()
        self._done: list[bytes] = []
        self._begin()

    @property
    def is_within(self) -> bool:
        """Whether an envelope has begun and not ended."""
        return bool(self._held)

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece, of any length; give the envelopes that end in it.

        Raises `ExchangeError`: answer-too-large for an envelope over the limit, answer-unreadable
        for a DOCTYPE, too many levels, or what stands between envelopes.
        """
        self._held += piece
        while self._step():
            if self._at > self._most_bytes:
                break
        if len(self._held) > self._most_bytes:
            raise ExchangeError("answer-too-large", f"an envelope of over {self._most_bytes} bytes")
        done, self._done = self._done, []
        return done

    def _begin(self) -> None:
        self._at = 0  # read up to here
        self._mark = 0  # where the markup begins that is being read
        self._level = 0
        self._state = _In.TEXT
        self._quote = b""
        self._end = b""

    def _step(self) -> bool:
        """Read on; False where more is needed for it."""
        if self._state is _In.TEXT:
            return self._read_text()
        if self._state is _In.MARKUP:
            return self._read_opening()
        if self._state is _In.SECTION:
            return self._read_section()
        return self._read_tag()

    def _read_text(self) -> bool:
        if self._level == 0 and self._at == 0 and (spaces := _SPACES.match(self._held)):
            del self._held[: spaces.end()]
        found = self._held.find(b"<", self._at)
        if self._level == 0 and self._held[self._at : None if found < 0 else found].strip(_SPACE):
            raise ExchangeError("answer-unreadable", "text between envelopes")
        if found < 0:
            self._at = len(self._held)
            return False
        self._mark, self._at, self._state = found, found + 1, _In.MARKUP
        return True

    def _read_opening(self) -> bool:
        opening = bytes(self._held[self._mark : self._mark + _LONGEST_OPENING])
        if len(opening) < 2:
            return False
        kind = opening[1:2]
        if kind == b"?":
            self._section(b"?>", 2)
        elif kind != b"!":
            self._state = _In.TAG
        else:
            word = next((each for each in _SECTIONS if opening.startswith(each)), None)
            if word is not None:
                self._section(_SECTIONS[word], len(word))
            elif any(each.startswith(opening) for each in _SECTIONS):
                return False
            else:
                raise ExchangeError("answer-unreadable", "DOCTYPE")
        return True

    def _section(self, end: bytes, length: int) -> None:
        self._state, self._end, self._at = _In.SECTION, end, self._mark + length

    def _read_section(self) -> bool:
        found = self._held.find(self._end, self._at)
        if found < 0:
            # The last bytes may be the first of the end.
            self._at = max(self._at, len(self._held) - len(self._end) + 1)
            return False
        self._at, self._state = found + len(self._end), _In.TEXT
        if self._level == 0:
            self._drop_before_declaration()
        return True

    def _drop_before_declaration(self) -> None:
        """Forget what stood before an XML declaration: the parser takes one only at the start."""
        if self._mark and self._held.startswith(b"<?xml", self._mark):
            del self._held[: self._mark]
            self._at -= self._mark

    def _read_tag(self) -> bool:
        if self._quote:
            closing = self._held.find(self._quote, self._at)
            if closing < 0:
                self._at = len(self._held)
                return False
            self._at, self._quote = closing + 1, b""
        found = _QUOTE_OR_END.search(self._held, self._at)
        if found is None:
            self._at = len(self._held)
            return False
        self._at = found.end()
        if found[0] == b">":
            self._end_tag()
        else:
            self._quote = bytes(found[0])
        return True

    def _end_tag(self) -> None:
        self._state = _In.TEXT
        if self._held.startswith(b"</", self._mark):
            self._level -= 1
        elif not self._held.startswith(b"/>", self._at - 2):
            self._level += 1
        if self._level < 0 or self._level > self._most_levels:
            raise ExchangeError("answer-unreadable", "elements that do not fit together")
        if self._level == 0:
            self._done.append(bytes(self._held[: self._at]))
            del self._held[: self._at]
            self._begin()
