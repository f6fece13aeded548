"""What a trace tells of runs, shards and rounds: numbers and codes, never a person or a text."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from keepstep.spans import Span, Value
from keepstep.sync.round import Outcome

if TYPE_CHECKING:
    from keepstep.sync.run import RunResult


def tell_round(span: Span, mailbox_id: int, outcome: Outcome, code: str) -> None:
    """Tell the span of a mailbox's round how it ended; `code` is that of its failure or ""."""
    counts = outcome.counts
    span.tell(
        {
            "keepstep.mailbox": mailbox_id,
            "keepstep.outcome": code or ("idle" if outcome.idle else "in-step"),
            "keepstep.pages": outcome.pages,
            "keepstep.created": counts.created,
            "keepstep.updated": counts.updated,
            "keepstep.removed": counts.removed,
            "keepstep.skipped": counts.skipped,
            "keepstep.held": counts.held,
        }
    )
    if code:
        span.failed(code)


def tell_run(span: Span, result: RunResult, **known: Value) -> None:
    """Tell the span of a run, or of a share of one, what was done, and what else is known."""
    numbers = {name: value for name, value in asdict(result).items() if isinstance(value, int)}
    span.tell({f"keepstep.{name}": value for name, value in (numbers | known).items()})
