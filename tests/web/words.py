"""All words of the pages, collected from templates and code: `python -m tests.web.words`.

It writes them into each language's catalogue, keeping what is translated. Words that come from
the failure catalogue, the rules and other tables are translated where they are shown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PAGES = Path(__file__).parents[2] / "src" / "keepstep" / "web"
STORE = PAGES.parent / "store"
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
# As fixed as the words: a catalogue changes only with them.
HEADER = """\
# {language} words of Keepstep's pages. Collected, and new ones added, by: python -m tests.web.words
msgid ""
msgstr ""
"Project-Id-Version: Keepstep\\n"
"POT-Creation-Date: 2026-11-24 00:00+0000\\n"
"Language: {code}\\n"
"Plural-Forms: {plurals}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
# Where it stands why the value of a setting is refused.
REASONS = ("fields.py", "setting_rules.py")
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


def updated(language: str) -> bytes:
    """Give what a language's file is once it is up to date; what is new there is empty."""
    path = catalogue_of(language)
    catalog = read(language) if path.exists() else Catalog(locale=language, charset="utf-8")
    catalog.update(collect(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    written = BytesIO()
    write_po(written, catalog, width=100, sort_output=True, no_location=True, omit_header=True)
    header = HEADER.format(
        language=Locale.parse(language).english_name, code=language, plurals=catalog.plural_forms
    )
    return header.encode() + written.getvalue()


def update(language: str) -> None:
    """Bring a language's file up to date."""
    path = catalogue_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(updated(language))


def _all() -> Iterator[Found]:
    for path in sorted(PAGES.rglob("*.py")):
        yield from _of_code(path, path.read_text(encoding="utf-8"))
    for path in sorted((PAGES / "templates").rglob("*")):
        if path.is_file():
            # As code that calls gettext for each word; all else is blanked out by Django.
            code = templatize(path.read_text(encoding="utf-8"), origin=path.name)
            yield from _of_code(path, _PLAIN_LINE.sub("", code))
    for place, words in (*_of_tables(), *_of_reasons()):
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
    from keepstep.sync.checkup import _Checks
    from keepstep.sync.service import API, COMMAND, PAGE
    from keepstep.web.templatetags.keepstep_web import STATUS_WORDS

    for failure in FAILURES.values():
        yield from (("failures", failure.message), ("failures", failure.remedy))
    yield from (("rules", in_words(each)) for each in Rule)
    yield from (("explain", each) for each in STATE_WORDS.values())
    yield from (("status", word) for word, _ in STATUS_WORDS.values())
    yield from (("what", each.value) for each in What)
    yield from (("roles", each.value) for each in Role)
    yield from (("triggers", each) for each in (API, COMMAND, PAGE, "schedule"))
    yield from (("drift", each) for each in ("changed", "missing", "extra"))
    # The checks themselves want a server; here they are only named.
    checks = cast(Any, _Checks)(*[None] * 5)
    yield from (("doctor", step) for step in (*dict(checks.in_order()), "mail"))


def _of_reasons() -> Iterator[tuple[str, str]]:
    """Give the reasons that stand as they are said; those that hold a value can't be collected."""
    for name in REASONS:
        for node in ast.walk(ast.parse((STORE / name).read_text(encoding="utf-8"))):
            match node:
                case ast.Raise(exc=ast.Call(ast.Name("ValueError"), [ast.Constant(str(words))])):
                    yield name, words


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keepstep.settings")
    import django

    django.setup()
    for each in LANGUAGES:
        update(each)
