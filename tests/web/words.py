"""All words of the pages, collected from templates and code: `python -m tests.web.words`.

It writes them into each language's catalogue, keeping what is translated. Words that come from
the failure catalogue, the rules and other tables are translated where they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PAGES = Path(__file__).parents[2] / "src" / "keepstep" / "web"
LANGUAGES = ("de",)
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_PLAIN_LINE = re.compile(r"^[ \t]+", re.MULTILINE)

Found = tuple[str, int, str | tuple[str, ...], str | None]


def catalogue_of(language: str) -> Path:
    """Give the file that holds a language's words."""
    return PAGES / "locale" / language / "LC_MESSAGES" / "django.po"


def collect() -> Catalog:
    """Collect every word that a page may show."""
    found = Catalog(charset="utf-8")
    for place, line, message, context in _all():
        found.add(message, locations=[(place, line)], context=context)
    return found


def read(language: str) -> Catalog:
    """Read a language's words."""
    with catalogue_of(language).open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> None:
    """Bring a language's file up to date; what is new there is empty."""
    path = catalogue_of(language)
    if path.exists():
        catalog = read(language)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        catalog = Catalog(locale=language, charset="utf-8", fuzzy=False)
    catalog.update(collect(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    written = BytesIO()
    write_po(written, catalog, width=100, sort_output=True, no_location=True, omit_header=False)
    path.write_bytes(written.getvalue())


def _all() -> Iterator[Found]:
    for path in sorted(PAGES.rglob("*.py")):
        yield from _of_code(path, path.read_text(encoding="utf-8"))
    for path in sorted((PAGES / "templates").rglob("*")):
        if path.is_file():
            # As code that calls gettext for each word; all else is blanked out by Django.
            code = templatize(path.read_text(encoding="utf-8"), origin=path.name)
            yield from _of_code(path, _PLAIN_LINE.sub("", code))
    for place, words in _of_tables():
        if words:
            yield place, 1, words, None


def _of_code(path: Path, code: str) -> Iterator[Found]:
    place = path.relative_to(PAGES).as_posix()
    for line, message, _, context in extract("python", BytesIO(code.encode()), KEYWORDS):
        yield place, line, message, context


def _of_tables() -> Iterator[tuple[str, str]]:
    from keepstep.core.decisions import What
    from keepstep.core.failures import FAILURES
    from keepstep.core.roles import Role
    from keepstep.core.rules import Rule, in_words
    from keepstep.store.explain import STATE_WORDS
    from keepstep.sync.service import COMMAND, PAGE
    from keepstep.web.templatetags.keepstep_web import STATUS_WORDS

    for failure in FAILURES.values():
        yield from (("failures", failure.message), ("failures", failure.remedy))
    yield from (("rules", in_words(each)) for each in Rule)
    yield from (("explain", each) for each in STATE_WORDS.values())
    yield from (("status", word) for word, _ in STATUS_WORDS.values())
    yield from (("what", each.value) for each in What)
    yield from (("roles", each.value) for each in Role)
    yield from (("triggers", each) for each in (COMMAND, PAGE, "schedule"))


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keepstep.settings")
    import django

    django.setup()
    for each in LANGUAGES:
        update(each)
