"""The words of the pages in every language: all there, fitting, and shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from html.parser import HTMLParser

import pytest
from babel.messages.catalog import Message
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from keepstep.core.appointment import Sensitivity
from keepstep.core.failures import FAILURES
from keepstep.core.roles import Role
from keepstep.core.rules import Rule
from keepstep.store import jobs, operators
from keepstep.store.models import Account, History, Mailbox, Operator, Quarantine, Run
from keepstep.web.navigation import MENU
from tests.web import calendars, words

ClientOf = Callable[[Account | None], Client]
every_language = pytest.mark.parametrize("language", words.LANGUAGES)

# What must be in a translation as it is in the message: placeholders, and parts of HTML.
_KEPT = re.compile(r"%\(\w+\)[sd]|%[sd]|</?\w+>")
_PLACEHOLDER = re.compile(r"%\\\(\w+\\\)[sd]|%[sd]")
_SHOWN = ("alt", "aria-label", "data-asks", "data-label", "placeholder", "title")
_UNSEEN = ("code", "script", "style")
_LEADING = ("href", "hx-get")


def forms_of(said: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """Give a message's, or a translation's, forms: one, or those of its plural."""
    return (said or "",) if said is None or isinstance(said, str) else tuple(said)


def messages(language: str) -> list[Message]:
    """Give what a language's catalogue holds, without its header."""
    return [each for each in words.read(language) if each.id]


def test_the_languages_of_the_pages_are_english_and_those_that_have_a_catalogue() -> None:
    assert {code for code, _ in settings.LANGUAGES} == {"en", *words.LANGUAGES}


@every_language
def test_every_word_has_a_translation(language: str) -> None:
    untold = [
        each.id for each in messages(language) if each.fuzzy or not all(forms_of(each.string))
    ]
    assert untold == []


@every_language
def test_a_catalogue_holds_the_words_of_the_pages_and_no_others(language: str) -> None:
    collected = {(each.context, each.id) for each in words.collect() if each.id}
    assert {(each.context, each.id) for each in messages(language)} == collected
    assert not words.read(language).obsolete


@every_language
def test_collecting_the_words_again_changes_nothing(language: str) -> None:
    assert words.updated(language).decode() == words.catalogue_of(language).read_text("utf-8")


@every_language
def test_a_translation_has_the_placeholders_of_its_message(language: str) -> None:
    for each in messages(language):
        forms = forms_of(each.id)
        for number, translated in enumerate(forms_of(each.string)):
            said = forms[min(number, len(forms) - 1)]
            assert Counter(_KEPT.findall(translated)) == Counter(_KEPT.findall(said)), said
    assert not list(words.read(language).check())


@every_language
def test_what_the_pages_say_is_made_from_the_catalogue_as_it_is_now(language: str) -> None:
    with translation.override(language):
        stale = [
            each.id
            for each in messages(language)
            if isinstance(each.id, str)
            and each.context is None
            and translation.gettext(each.id) != each.string
        ]
    assert stale == [], "The compiled words are old ones: make install-dev"


class Texts(HTMLParser):
    """What is to be read on a page, and the addresses that it leads to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.language = ""
        self.texts: list[str] = []
        self.leads: list[str] = []
        self._unseen = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        for name, value in attrs:
            if name == "lang":
                self.language = value or ""
            elif name in _SHOWN:
                self.texts.append(value or "")
            elif name in _LEADING:
                self.leads.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.texts.append(data)


@cache
def english() -> re.Pattern[str]:
    """Give what finds a text that is a message which says something else in German."""
    patterns = [
        _PLACEHOLDER.sub(r"\\w.*", re.escape(form))
        for each in messages("de")
        for form in forms_of(each.id)
        if all(forms_of(each.string)) and form not in forms_of(each.string)
    ]
    return re.compile("|".join(patterns))


def left_in_english(texts: Texts) -> list[str]:
    """Give what stands on a page in English though there is German for it."""
    shown = (" ".join(each.split()) for each in texts.texts)
    return [each for each in shown if english().fullmatch(each)]


def walk(client: Client, start: str) -> Iterator[tuple[str, Texts]]:
    """Give every page that can be reached by links, and the parts that pages fetch: each once."""
    ahead, seen = [start], set()
    while ahead:
        address = ahead.pop(0)
        path = address.partition("?")[0].partition("#")[0]
        if path in seen or not path.startswith("/") or path.startswith("/static/"):
            continue
        seen.add(path)
        answer = client.get(address, follow=True)
        if not answer.headers["Content-Type"].startswith("text/html"):
            continue
        assert answer.status_code == 200, address
        assert answer.headers["Content-Language"] == "de", address
        texts = Texts(answer.content.decode())
        yield path, texts
        ahead += texts.leads


@pytest.fixture
def in_use(operator: Account) -> Operator:
    """Anna, of a Keepstep in use: appointments, an explanation, an item set aside, a run."""
    anna = Operator.objects.get(account=operator)
    operators.switch([anna.email], on=True)
    now = datetime.now(UTC)
    Mailbox.objects.update(last_success=now - timedelta(minutes=5))
    private = Sensitivity.PRIVATE
    calendars.put(anna, calendars.single("Visit", now + calendars.HOUR, location="Berlin"))
    calendars.put(anna, calendars.single("Dentist", now + calendars.DAY, sensitivity=private))
    item = {"mailbox": anna.mailbox, "item_id": "item Visit"}
    rule = Rule.ENDS_AFTER_BOUNDARY.value
    History.objects.create(uid="Visit", at=now, what="created", rule=rule, **item)
    Quarantine.objects.create(code="item-unreadable", since=now, **item)
    known = FAILURES["timed-out"]
    failure = {"code": known.code, "message": known.message, "remedy": known.remedy}
    failures = [failure | {"operator": anna.email}]
    Run.objects.create(job=jobs.SYNCHRONIZATION, trigger="schedule", started=now, failures=failures)
    return anna


@pytest.fixture
def german(client_of: ClientOf, administrator: Account) -> Client:
    """The client of an administrator who chose German, in a browser that asks for English."""
    administrator.language = "de"
    administrator.save()
    return client_of(administrator)


def test_every_page_that_an_administrator_reaches_is_in_german(
    german: Client, in_use: Operator
) -> None:
    pages = dict(walk(german, "/"))
    assert {reverse(each.address) for each in MENU} <= set(pages)
    with translation.override("de"):
        menu = {translation.gettext(each.words) for each in MENU}
    for path, texts in pages.items():
        assert left_in_english(texts) == [], path
        if texts.language:
            assert texts.language == "de", path
            assert menu <= set(texts.texts), path


def test_a_failure_is_told_in_german(german: Client, in_use: Operator) -> None:
    Mailbox.objects.update(
        failure_code="no-such-mailbox", failing_since=datetime.now(UTC) - timedelta(hours=1)
    )
    for path in ("/health/overview", "/calendar/"):
        texts = Texts(german.get(path).content.decode())
        assert left_in_english(texts) == [], path
        assert "Exchange hat kein Postfach mit dieser E-Mail-Adresse." in texts.texts, path


def test_why_an_appointment_is_there_is_told_in_german(german: Client, in_use: Operator) -> None:
    page = german.get(f"/operators/of/{in_use.email}/explain?uid=Visit").content.decode()
    assert left_in_english(Texts(page)) == []
    assert "Er ist im Vertriebskalender." in page


def test_a_refused_value_is_told_in_german(german: Client) -> None:
    answer = german.post("/settings/check/exchange_url", {"exchange_url": "ftp://exchange"})
    assert "Exchange-URL muss mit https:// (oder http://) beginnen." in answer.content.decode()


@pytest.mark.parametrize(("role", "path"), [(Role.OPERATOR, "/calendar/"), (Role.AUDITOR, "/")])
def test_others_see_their_pages_in_german_too(
    client_of: ClientOf, in_use: Operator, auditor: Account, role: Role, path: str
) -> None:
    account = Account.objects.get(role=role)
    account.language = "de"
    account.save()
    for reached, texts in walk(client_of(account), path):
        assert left_in_english(texts) == [], reached


@pytest.mark.parametrize("path", ["/sign-in", "/reset", "/nowhere"])
def test_who_has_not_signed_in_is_spoken_to_in_the_language_of_the_browser(
    client_of: ClientOf, database: None, path: str
) -> None:
    answer = client_of(None).get(path, headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"})
    assert answer.headers["Content-Language"] == "de"
    assert left_in_english(Texts(answer.content.decode())) == []


def test_english_is_noticed_where_there_is_german() -> None:
    page = '<p title="Sign out">3 operators</p><p>Personen</p><code>page</code>'
    assert left_in_english(Texts(page)) == ["Sign out", "3 operators"]
