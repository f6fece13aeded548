"""Signing in to a server that has a real acceptor, over real sockets."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Target
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.connect import Access, connect
from keepstep.exchange.ews.faults import failure_of_status
from keepstep.exchange.ews.sign_in import challenges
from keepstep.exchange.ews.sign_in_negotiate import NegotiateSignIn, Scheme
from keepstep.exchange.ews.sign_in_oauth import OAuthSignIn, Token
from keepstep_simulator import Simulator, serving
from tests.unit.ews.certificates import Authority

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ANNA = Target("anna@example.com")
HANDSHAKES = [("ntlm", "NTLM"), ("negotiate", "Negotiate")]


@pytest.fixture
def server() -> Simulator:
    server = Simulator(clock=lambda: NOW, username="CORP\\svc", password="pässwörd")
    server.add_mailbox(ANNA.address)
    return server


def access(url: str, auth: str, **more: Any) -> Access:
    given = {"username": "CORP\\svc", "password": "pässwörd", "connections": 4}
    return Access(url=url, version="Exchange2016", auth=auth, **{**given, **more})


async def sign_in(url: str, auth: str, **more: Any) -> str:
    """Open the calendar; give "" or the code of the failure."""
    connector = connect(access(url, auth, **more))
    try:
        await connector.folder(ANNA)
    except ExchangeError as error:
        return "told the password" if "pässwörd" in repr(error) else error.code
    finally:
        await connector.close()
    return ""


def refusals(server: Simulator) -> int:
    return sum(1 for each in server.log if each.status == 401)


# NTLM and Negotiate


@pytest.mark.parametrize(("auth", "scheme"), HANDSHAKES)
async def test_a_handshake_signs_in_a_connection(server: Simulator, auth: str, scheme: str) -> None:
    server.accounts.schemes = (scheme,)
    async with serving(server) as url:
        connector = connect(access(url, auth))
        for _ in range(5):
            await connector.folder(ANNA)
        await connector.close()
    assert [each.operation for each in server.log] == ["GetFolder"] * 5
    assert {each.user for each in server.log} == {"CORP\\svc"}


@pytest.mark.parametrize(("auth", "scheme"), HANDSHAKES)
async def test_a_wrong_password_is_refused(server: Simulator, auth: str, scheme: str) -> None:
    server.accounts.schemes = (scheme,)
    async with serving(server) as url:
        assert await sign_in(url, auth, password="wrong") == "sign-in-refused"
        assert await sign_in(url, auth, username="CORP\\nobody") == "sign-in-refused"
    assert len(server.log) == 0


async def test_each_request_under_way_has_a_connection_of_its_own(server: Simulator) -> None:
    server.accounts.schemes = ("NTLM",)
    async with serving(server) as url:
        connector = connect(access(url, "ntlm"))
        await asyncio.gather(*(connector.folder(ANNA) for _ in range(20)))
        await asyncio.gather(*(connector.folder(ANNA) for _ in range(20)))
        await connector.close()
    assert len(server.requests("GetFolder")) == 40
    assert refusals(server) == 0


@pytest.mark.parametrize(("auth", "offered"), [("ntlm", "Negotiate"), ("negotiate", "NTLM")])
async def test_the_scheme_that_the_server_has_is_taken(
    server: Simulator, auth: str, offered: str
) -> None:
    server.accounts.schemes = (offered, "Basic")
    async with serving(server) as url:
        assert await sign_in(url, auth) == ""


@pytest.mark.parametrize(
    ("auth", "offered"),
    [("ntlm", "Basic"), ("negotiate", "Bearer"), ("basic", "NTLM"), ("basic", "Bearer")],
)
async def test_what_the_server_does_not_offer_is_said(
    server: Simulator, auth: str, offered: str
) -> None:
    server.accounts.schemes = (offered,)
    async with serving(server) as url:
        assert await sign_in(url, auth) == "sign-in-not-offered"


async def test_a_connection_that_was_cut_is_signed_in_anew(server: Simulator) -> None:
    server.accounts.schemes = ("NTLM",)
    async with serving(server) as first:
        port = int(first.rpartition(":")[2].partition("/")[0])
        connector = connect(access(first, "ntlm"))
        await connector.folder(ANNA)
    async with serving(server, port=port):
        await connector.folder(ANNA)
        await connector.close()
    assert len(server.requests("GetFolder")) == 2


async def test_the_handshake_is_bound_to_the_connection_with_tls(
    server: Simulator, tmp_path: Path
) -> None:
    server.accounts.schemes = ("NTLM",)
    authority = Authority(tmp_path)
    tls = authority.server()
    ca_file = str(authority.file)
    own = ssl.PEM_cert_to_DER_cert(authority.last_certificate)
    async with serving(server, tls=tls, bind_to=own) as url:
        assert await sign_in(url, "ntlm", ca_file=ca_file) == ""
    async with serving(server, tls=tls, bind_to=b"another certificate") as url:
        assert await sign_in(url, "ntlm", ca_file=ca_file) == "sign-in-refused"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", {}),
        ("NTLM", {"NTLM": b""}),
        ('Negotiate, NTLM, Basic realm="a, NTLM b"', {"Negotiate": b"", "NTLM": b"", "Basic": b""}),
        ("ntlm TlRMTVNTUAAC", {"NTLM": b"NTLMSSP\0\2"}),
        (
            'Bearer client_id="1", trusted_issuers="x", Basic realm="y"',
            {"Bearer": b"", "Basic": b""},
        ),
        ("Digest x, Negotiate YQ==", {"Negotiate": b"a"}),
        ("Negotiate YQ", {"Negotiate": b""}),
    ],
)
def test_the_challenges_of_an_answer(header: str, found: dict[str, bytes]) -> None:
    assert challenges(RawAnswer(401, {"www-authenticate": header})) == found


@pytest.mark.parametrize(
    "token", ["AAAA", "TlRMTVNTUAAC", "TlRMTVNTUAAD" + "A" * 400, "TlRMTVNTUAAC" + "/" * 4000]
)
@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
async def test_a_senseless_challenge_is_a_refusal(scheme: Scheme, token: str) -> None:
    async def send(_: Mapping[str, str]) -> RawAnswer:
        return RawAnswer(401, {"www-authenticate": f"{scheme} {token}"})

    account = NegotiateSignIn("svc", "pässwörd", "exchange.example.com", scheme)
    try:
        outcome = failure_of_status((await account.of_connection().send(send)).status)
    except ExchangeError as error:
        outcome = error
    assert outcome.code == "sign-in-refused"


# OAuth


@asynccontextmanager
async def oauth(server: Simulator, folder: Path) -> AsyncIterator[tuple[str, dict[str, str]]]:
    server.accounts.schemes = ("Bearer",)
    authority = Authority(folder)
    async with serving(server, tls=authority.server()) as url:
        yield (
            url,
            {
                "ca_file": str(authority.file),
                "oauth_authority": url.removesuffix("/EWS/Exchange.asmx"),
                "oauth_tenant": "example",
                "oauth_client_id": "keepstep",
                "oauth_client_secret": "client-secret",
                "oauth_scope": "https://mail.example.com/.default",
            },
        )


async def test_one_token_serves_many_requests(server: Simulator, tmp_path: Path) -> None:
    async with oauth(server, tmp_path) as (url, given):
        connector = connect(access(url, "oauth", **given))
        await asyncio.gather(*(connector.folder(ANNA) for _ in range(10)))
        await connector.close()
    assert server.accounts.issued == 1
    assert len(server.requests("GetFolder")) == 10


@pytest.mark.parametrize(
    ("wrong", "value", "code"),
    [
        ("oauth_client_secret", "another", "token-refused"),
        ("oauth_client_id", "another", "token-refused"),
        ("oauth_scope", "whatever", "token-refused"),
        ("oauth_tenant", "another", "token-refused"),
        ("oauth_authority", "http://127.0.0.1:9", "token-refused"),
        ("oauth_authority", "https://127.0.0.1:1", "connection-refused"),
        ("oauth_authority", "https://no-such-host.invalid", "name-not-found"),
        ("oauth_authority", "https://169.254.169.254", "address-forbidden"),
        ("ca_file", "", "certificate-not-trusted"),
    ],
)
async def test_no_token(
    server: Simulator, tmp_path: Path, wrong: str, value: str, code: str
) -> None:
    async with oauth(server, tmp_path) as (url, given):
        assert await sign_in(url, "oauth", **{**given, wrong: value}) == code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((400, {"error": "temporarily_unavailable"}), "token-unavailable"),
        ((503, {}), "token-unavailable"),
        ((200, {"token_type": "Bearer"}), "token-refused"),
        ((200, {"access_token": "two\r\nlines"}), "token-refused"),
        ((200, {"access_token": ["no", "text"]}), "token-refused"),
    ],
)
async def test_a_token_endpoint_in_trouble(
    server: Simulator, tmp_path: Path, answer: tuple[int, Mapping[str, object]], code: str
) -> None:
    server.accounts.token_answer = answer
    async with oauth(server, tmp_path) as (url, given):
        assert await sign_in(url, "oauth", **given) == code


async def test_exchange_refuses_a_token(server: Simulator, tmp_path: Path) -> None:
    async with oauth(server, tmp_path) as (url, given):
        server.accounts.token_seconds = -10
        assert await sign_in(url, "oauth", **given) == "token-refused"
    assert server.accounts.issued == 1


class Tokens:
    """Gives numbered tokens, each in a thread; `clock` goes when told."""

    def __init__(self, seconds: float = 3600) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.given = 0
        self.threads: set[int] = set()
        self.failing = False
        self.good = ""

    def acquire(self) -> Token:
        self.threads.add(threading.get_ident())
        self.given += 1
        if self.failing:
            raise ExchangeError("token-unavailable", "HTTP 503")
        return Token(f"number{self.given}", self.seconds)

    def sign_in(self) -> OAuthSignIn:
        return OAuthSignIn(self.acquire, lambda: self.now)

    async def send(self, headers: Mapping[str, str]) -> RawAnswer:
        token = headers["Authorization"].removeprefix("Bearer ")
        await asyncio.sleep(0)
        return RawAnswer(200 if self.good in ("", token) else 401, {}, token.encode())


async def test_a_token_is_renewed_ahead_of_time_while_requests_go_on() -> None:
    tokens = Tokens()
    sign_in = tokens.sign_in()
    assert (await sign_in.send(tokens.send)).body == b"number1"
    tokens.now = 3600 - 299
    assert (await sign_in.send(tokens.send)).body == b"number1"
    while tokens.given < 2:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.01)
    assert (await sign_in.send(tokens.send)).body == b"number2"
    assert threading.get_ident() not in tokens.threads


async def test_there_is_one_renewal_at_a_time() -> None:
    tokens = Tokens()
    sign_in = tokens.sign_in()
    answers = await asyncio.gather(*(sign_in.send(tokens.send) for _ in range(50)))
    assert {answer.body for answer in answers} == {b"number1"}
    tokens.now, tokens.good = 120, "number2"
    answers = await asyncio.gather(*(sign_in.send(tokens.send) for _ in range(50)))
    assert {answer.body for answer in answers} == {b"number2"}
    assert tokens.given == 2


async def test_a_failed_renewal_matters_only_when_the_token_has_ended() -> None:
    tokens = Tokens()
    sign_in = tokens.sign_in()
    await sign_in.send(tokens.send)
    tokens.now, tokens.failing = 3500, True
    for _ in range(10):
        assert (await sign_in.send(tokens.send)).body == b"number1"
        await asyncio.sleep(0.005)
    assert tokens.given == 2
    tokens.now = 3700
    for _ in range(3):
        with pytest.raises(ExchangeError, match="token-unavailable"):
            await sign_in.send(tokens.send)
    assert tokens.given == 3
    tokens.now, tokens.failing = 3710, False
    assert (await sign_in.send(tokens.send)).body == b"number4"


async def test_a_young_token_that_is_refused_is_not_replaced() -> None:
    tokens = Tokens()
    tokens.good = "none"
    sign_in = tokens.sign_in()
    for _ in range(5):
        with pytest.raises(ExchangeError, match="token-refused"):
            await sign_in.send(tokens.send)
    assert tokens.given == 1


def test_secrets_are_not_shown() -> None:
    given = access("https://x/", "oauth", oauth_client_secret="client-secret")
    assert "pässwörd" not in repr(given)
    assert "client-secret" not in repr(given)
    assert "abc" not in repr(Token("abc", 1))
