"""What a failure of the catalogue (`failures`) is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One kind of failure. `passes_by_itself`: trying again later may succeed unaided."""

    code: str
    message: str
    cause: str
    remedy: str
    passes_by_itself: bool
