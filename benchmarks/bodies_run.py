"""A child: bodies as text, asked from the server as text or converted here from HTML."""

from __future__ import annotations

from typing import Any

from benchmarks.harness import answer, cpu_seconds, given

PAGES = 1000


def main() -> None:
    """Measure what one body costs us either way."""
    given()
    answer(_measure())


def _measure() -> dict[str, Any]:
    from keepstep.core.text import clean, plain_text

    line = '<p>Dear all,<br>see <a href="https://example.com/agenda">the agenda</a>.</p>'
    html = f"<html><body>{line * 12}</body></html>"
    text = "Dear all,\nsee the agenda <https://example.com/agenda>.\n" * 12
    plain_text(html)
    begun = cpu_seconds()
    for _ in range(PAGES * 100):
        clean(text)
    as_text = (cpu_seconds() - begun) / 100
    begun = cpu_seconds()
    for _ in range(PAGES):
        plain_text(html)
    return {"as_text": as_text / PAGES, "converted": (cpu_seconds() - begun) / PAGES}


if __name__ == "__main__":
    main()
