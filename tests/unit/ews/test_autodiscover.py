"""Autodiscover: whom it asks, whom it never asks, and what it takes for an answer."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.autodiscover import Discovery, discover

EMAIL = "anna@example.com"
FIRST = "https://example.com/autodiscover/autodiscover.xml"
SECOND = "https://autodiscover.example.com/autodiscover/autodiscover.xml"
EWS = "https://mail.example.com/EWS/Exchange.asmx"


def pox(inner: str) -> RawAnswer:
    return RawAnswer(200, {}, f"<Autodiscover><Response>{inner}</Response></Autodiscover>".encode())


def answer(*urls: str) -> RawAnswer:
    return pox("".join(f"<Protocol><EwsUrl>{url}</EwsUrl></Protocol>" for url in urls))


def sent_on(url: str) -> RawAnswer:
    return RawAnswer(302, {"location": url})


class Internet:
    """What answers where; a place that is not named can't be reached. `asked` is in order."""

    def __init__(self) -> None:
        self.places: dict[str, RawAnswer] = {}
        self.asked: list[str] = []

    def at(self, url: str, told: RawAnswer) -> Internet:
        self.places[url] = told
        return self

    async def post(self, url: str, body: bytes) -> RawAnswer:
        self.asked.append(url)
        assert b"<EMailAddress>anna@example.com</EMailAddress>" in body
        if url not in self.places:
            raise ExchangeError("name-not-found", "ClientConnectorDNSError")
        return self.places[url]

    async def search(self, accepted: Collection[str] = (), server: str = "") -> Discovery:
        return await discover(EMAIL, self.post, accepted=accepted, server=server)


async def test_both_places_that_the_domain_suggests_are_asked() -> None:
    internet = Internet().at(SECOND, answer(EWS, EWS, "https://out.example.com/EWS"))
    found = await internet.search()
    assert found.urls == [EWS, "https://out.example.com/EWS"]
    assert internet.asked == [FIRST, SECOND]
    assert [each.code for each in found.asked] == ["name-not-found", ""]


async def test_a_redirect_within_the_domain_is_followed() -> None:
    there = "https://mail.example.com/autodiscover/autodiscover.xml"
    internet = Internet().at(FIRST, sent_on(there)).at(there, answer(EWS))
    assert (await internet.search()).urls == [EWS]
    in_answer = Internet().at(FIRST, pox(f"<RedirectUrl>{there}</RedirectUrl>"))
    assert (await in_answer.at(there, answer(EWS)).search()).urls == [EWS]


async def test_a_redirect_to_another_domain_is_shown_and_followed_once_accepted() -> None:
    there = "https://hoster.example.net/autodiscover/autodiscover.xml"
    internet = Internet().at(FIRST, sent_on(there)).at(there, answer(EWS))
    found = await internet.search()
    assert (found.urls, found.unconfirmed) == ([], "hoster.example.net")
    assert internet.asked == [FIRST]
    assert found.asked[-1].url == there
    assert (await internet.search(["Hoster.example.net"])).urls == [EWS]


@pytest.mark.parametrize(
    "there",
    [
        "http://mail.example.com/autodiscover/autodiscover.xml",
        "https://169.254.169.254/",
        "https://notexample.com/",
        "https://example.com.evil.net/",
        "https://user@evil.net/",
        "file:///etc/passwd",
        "//[",
        "",
    ],
)
async def test_it_is_not_led_astray(there: str) -> None:
    internet = Internet().at(FIRST, sent_on(there))
    found = await internet.search()
    assert found.urls == []
    assert internet.asked in ([FIRST], [FIRST, SECOND])


async def test_a_circle_of_redirects_ends() -> None:
    internet = Internet().at(FIRST, sent_on(FIRST))
    found = await internet.search()
    assert found.urls == []
    assert len(internet.asked) < 10


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (RawAnswer(401), "sign-in-refused"),
        (RawAnswer(404), "not-exchange"),
        (RawAnswer(200, {}, b"<html/>"), "not-exchange"),
        (RawAnswer(200, {}, b"no xml"), "answer-unreadable"),
        (RawAnswer(200, {}, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"), "answer-unreadable"),
        (pox("<Error><ErrorCode>500</ErrorCode></Error>"), "no-such-mailbox"),
        (pox("<RedirectAddr>anna@other.example</RedirectAddr>"), "redirected"),
        (answer("http://169.254.169.254/"), "not-exchange"),
        (answer("javascript:alert(1)"), "not-exchange"),
    ],
)
async def test_what_is_no_answer_has_its_code(told: RawAnswer, code: str) -> None:
    found = await Internet().at(FIRST, told).search()
    assert found.urls == []
    assert found.asked[0].code == code


async def test_the_server_that_was_named_is_asked_alone() -> None:
    there = "https://ex01.corp:444/autodiscover/autodiscover.xml"
    internet = Internet().at(there, answer(EWS))
    assert (await internet.search(server="ex01.corp:444")).urls == [EWS]
    assert internet.asked == [there]
