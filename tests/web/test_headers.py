"""Whatever is answered carries the headers; a real server knows how it was reached."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from playwright.sync_api import Browser

from keepstep.store.models import Account
from keepstep.web import urls as product_urls
from keepstep.web.access import public
from keepstep.web.headers import HEADERS
from tests.system.product import Keepstep
from tests.web.browser import no_serious_faults, watched
from tests.web.site import ADMINISTRATOR, PASSWORD, Site, serving


@public
def mistaken(request: HttpRequest) -> HttpResponse:
    """A page with a mistake in it."""
    raise ZeroDivisionError("secret of ours")


# The addresses of the product and one more, for the test that makes them the product's.
urlpatterns = [path("mistaken", mistaken, name="mistaken"), path("", include(product_urls))]
handler500 = product_urls.handler500

CSS = f"{settings.STATIC_URL}css/keepstep.css"


def ask(site: Site, address: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    """One request to a running server, as plain as it can be."""
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", address, headers=named)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def lacking(answer: http.client.HTTPResponse) -> list[str]:
    return [name for name, value in HEADERS.items() if answer.headers.get(name) != value]


@pytest.fixture(scope="module")
def server(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running server that is only asked."""
    with serving(prepared_home, tmp_path_factory.mktemp("headers") / "site") as site:
        yield site


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/sign-in", 200),
        ("/people/", 302),
        ("/nothing", 404),
        ("/enter/nothing", 410),
        ("/health", 200),
        (CSS, 200),
        ("/static/nothing.css", 404),
        ("/people/%00", 404),
    ],
)
def test_every_kind_of_answer_of_a_real_server_carries_the_headers(
    server: Site, address: str, status: int
) -> None:
    answer, _ = ask(server, address)
    assert (answer.status, lacking(answer)) == (status, [])


@pytest.mark.parametrize("host", ["a b", "evil.example/"])
def test_an_odd_host_is_refused_without_a_trace(server: Site, host: str) -> None:
    answer, body = ask(server, "/reset", Host=host)
    assert answer.status == 400
    assert lacking(answer) == []
    assert b"Traceback" not in body


def test_a_static_file_comes_whole_in_part_or_as_not_changed(server: Site) -> None:
    whole, content = ask(server, CSS)
    assert whole.headers["Content-Type"].startswith("text/css")
    assert len(content) == int(whole.headers["Content-Length"])
    part, some = ask(server, CSS, Range="bytes=10-19")
    assert (part.status, some, lacking(part)) == (206, content[10:20], [])
    since = whole.headers["Last-Modified"]
    same, nothing = ask(server, CSS, If_Modified_Since=since)
    assert (same.status, nothing, lacking(same)) == (304, b"", [])


def test_a_running_server_says_nothing_of_its_requests_on_the_terminal(server: Site) -> None:
    ask(server, CSS)
    ask(server, "/nothing")
    printed = (server.product.home / "serve.out").read_text()
    assert len(printed.splitlines()) == 1, printed


def test_a_mistake_of_ours_is_a_page_with_the_headers_and_without_a_trace(
    administrator: Account,
) -> None:
    with override_settings(ROOT_URLCONF=__name__):
        answer = Client(raise_request_exception=False).get("/mistaken")
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert b"internal-error" in answer.content
    assert b"secret of ours" not in answer.content


# Behind a proxy on the same machine


def test_over_https_by_a_proxy_of_this_machine_cookies_are_secure(server: Site) -> None:
    answer, _ = ask(server, "/sign-in", X_Forwarded_Proto="https")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"]
    plain, _ = ask(server, "/sign-in")
    assert "Secure" not in plain.headers["Set-Cookie"]


def test_a_proxy_of_this_machine_tells_whose_guess_it_is(server: Site) -> None:
    """Else all who come by a proxy would be held off with the one who guesses."""

    def attempt(machine: str, password: str) -> int:
        asked, page = ask(server, "/sign-in")
        cookie = asked.headers["Set-Cookie"].partition(";")[0]
        token = page.partition(b'name="csrfmiddlewaretoken" value="')[2].partition(b'"')[0].decode()
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
        fields = {"csrfmiddlewaretoken": token, "username": ADMINISTRATOR, "password": password}
        headers = {
            "Cookie": cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Forwarded-For": f"198.51.100.99, {machine}",
        }
        connection.request("POST", "/sign-in", urlencode(fields), headers)
        status = connection.getresponse().status
        connection.close()
        return status

    assert [attempt("192.0.2.66", "wrong") for _ in range(5)] == [422, 422, 422, 422, 429]
    assert attempt("192.0.2.66", PASSWORD) == 429
    assert attempt("192.0.2.1", PASSWORD) == 302


# The first start


def test_the_first_start_prints_where_the_first_administrator_is_made(
    tmp_path: Path, browser: Browser
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    Keepstep(empty).do("migrate")
    with serving(empty, tmp_path / "site") as site, watched(browser, site.url) as (page, _):
        printed = (site.product.home / "serve.out").read_text()
        page.goto(printed.splitlines()[-1])
        no_serious_faults(page)
        page.get_by_label("Your e-mail address").fill("first@example.com")
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button", name="Make the first administrator").click()
        page.wait_for_url("**/health/**")
