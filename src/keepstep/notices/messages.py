"""The words of e-mails: a subject of one line, a text and an HTML part.

Only addresses of operators, instants, links of ours and the catalogue's own words go in: no
appointment's text, and nothing that a server said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from itertools import groupby
from pathlib import Path

from django.template import Context, Engine

from keepstep.core.failures import FAILURES, Failure
from keepstep.store import account_mails
from keepstep.store.links import Purpose, is_sign_in_page, lasting
from keepstep.store.notices import FAILURE, RECOVERY, Entry

TEST = "test"
MOST_NAMED = 200
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Words:
    """An e-mail's subject and its two parts."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Line:
    """An operator as an e-mail lists one, with the beginning of the failure."""

    operator: str
    since: str


@dataclass(frozen=True, slots=True)
class Group:
    """The operators that failed alike. `more` counts those that are not listed."""

    failure: Failure
    lines: Sequence[Line]
    more: int


def words_for(kind: str, entries: Sequence[Entry]) -> Words:
    """Give the words of an e-mail of this kind about these operators."""
    subjects = {
        FAILURE: f"Keepstep: calendar synchronization failed for {_count(entries)}",
        RECOVERY: "Keepstep: calendar synchronization works again",
        TEST: "Keepstep: test e-mail",
    }
    named = sorted(entries, key=lambda each: (each.code, each.operator))
    context = {
        "count": _count(entries),
        "groups": _groups(named) if kind == FAILURE else (),
        "lines": _lines(named[:MOST_NAMED]),
        "more": max(0, len(named) - MOST_NAMED),
    }
    return Words(subjects[kind], _render(f"{kind}.txt", context), _render(f"{kind}.html", context))


def words_for_link(kind: str, link: str) -> Words:
    """Give the words of an e-mail of this kind that has a link for the one who gets it."""
    subjects = {
        account_mails.INVITATION: "Keepstep: your invitation",
        account_mails.RESET: "Keepstep: a new password",
    }
    context = {"link": link, "lasting": lasting(Purpose(kind)), "once": not is_sign_in_page(link)}
    return Words(subjects[kind], _render(f"{kind}.txt", context), _render(f"{kind}.html", context))


def _count(entries: Sequence[Entry]) -> str:
    return "1 operator" if len(entries) == 1 else f"{len(entries)} operators"


def _groups(named: Sequence[Entry]) -> list[Group]:
    groups, room = [], MOST_NAMED
    for code, members in groupby(named, key=lambda each: each.code):
        entries = list(members)
        listed = entries[:room]
        room -= len(listed)
        failure = FAILURES.get(code, FAILURES["internal-error"])
        groups.append(Group(failure, _lines(listed), len(entries) - len(listed)))
    return groups


def _lines(entries: Sequence[Entry]) -> list[Line]:
    return [
        Line(each.operator, f"{each.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC") for each in entries
    ]


def _render(name: str, context: Mapping[str, object]) -> str:
    engine = _engine(name.endswith(".html"))
    return engine.get_template(name).render(Context(dict(context), autoescape=engine.autoescape))


@cache
def _engine(escape: bool) -> Engine:
    return Engine(dirs=[str(_TEMPLATES)], autoescape=escape)
