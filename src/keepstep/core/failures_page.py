"""The page of the documentation that lists the failures, made from the catalogue.

`python -m keepstep.core.failures_page > docs/failures.md` renews it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from keepstep.core.failures import FAILURES, Failure

_HEAD = """\
# Failures

What can go wrong, by the code that the command line, the pages, the API and e-mails show.
`keepstep doctor` finds out which of them it is, and what the administrator of Exchange can do.

This page is made from the catalogue in the code:
`python -m keepstep.core.failures_page > docs/failures.md`
"""


def page(failures: Iterable[Failure]) -> str:
    """Give the page in Markdown, the failures in the order given."""
    return "\n".join([_HEAD, *(_section(each) for each in failures)])


def _section(failure: Failure) -> str:
    passes = "yes" if failure.passes_by_itself else "no"
    return (
        f"## {failure.code}\n\n{_text(failure.message)}\n\n"
        f"- Cause: {_text(failure.cause)}\n"
        f"- Remedy: {_text(failure.remedy)}\n"
        f"- Passes by itself: {passes}\n"
    )


def _text(text: str) -> str:
    """Give text as Markdown shows it unchanged."""
    return "".join(f"\\{each}" if each in "\\`*_<>[]" else each for each in text)


if __name__ == "__main__":
    sys.stdout.write(page(FAILURES.values()))
