"""The sample answers: their names as the tables have them (`folder/file`), their bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.envelope import Answer, read_answer
from tests.shared_material import shared

NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


def root() -> Path:
    """Give the folder of all samples."""
    return shared("ews-samples")


def all_names() -> set[str]:
    """Give the names of all samples: descriptions and expectations are none."""
    return {
        path.relative_to(root()).as_posix()
        for path in root().rglob("*")
        if path.is_file() and path.suffix != ".md" and not path.name.endswith(".expected.json")
    }


def content(name: str) -> bytes:
    """Give a sample's bytes."""
    return (root() / name).read_bytes()


def answer(name: str, status: int = 200) -> Answer:
    """Read a sample as the body of an HTTP answer; raises as the client would."""
    return read_answer(RawAnswer(status, {}, content(name)), NOW)
