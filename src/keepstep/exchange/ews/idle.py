"""The idle answer, known again by its bytes before any tree is built.

Most answers to SyncFolderItems say that nothing has changed, and those of one server are the same
to the byte but for the sync state. So the bytes around the state of one that was read whole are
kept, and an answer that has the same around a state says the same: whatever the server's way of
writing is, and without a second reading of XML that might understand it otherwise.
"""

from __future__ import annotations

import re

# Letters that stand for themselves in XML, whatever is around them.
_STATE = re.compile(rb"[A-Za-z0-9+/=_.:-]+")
# Servers behind one address may write differently, of other versions while they are upgraded.
_MOST_FRAMES = 8


class IdleAnswers:
    """What idle answers of one server look like, learned from those that were read whole."""

    def __init__(self) -> None:
        self._frames: list[tuple[bytes, bytes]] = []

    def state_in(self, body: bytes) -> str | None:
        """Give the sync state of an answer that is idle for certain, None for all others."""
        for before, after in self._frames:
            if body.startswith(before) and body.endswith(after):
                state = body[len(before) : -len(after)]
                if _STATE.fullmatch(state):
                    return state.decode("ascii")
        return None

    def learn(self, body: bytes, state: str) -> None:
        """Note an answer that was read whole: idle, and with this sync state."""
        told = state.encode()
        if not _STATE.fullmatch(told):
            return
        before, found, after = body.partition(told)
        if not found or told in after:
            return
        # It must be the whole text of its element.
        if before.endswith(b">") and after.startswith(b"<"):
            self._frames = [(before, after), *self._frames[: _MOST_FRAMES - 1]]
