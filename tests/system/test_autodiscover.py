"""`keepstep autodiscover` over TLS, and `keepstep secrets rotate`, as a user runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepstep_simulator import SimulatorThread
from tests.system.machines import ANNA, exchange, web_server
from tests.system.shell import Shell
from tests.unit.ews.certificates import Authority


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


def given(shell: Shell, authority: Authority, *more: str) -> None:
    file = f"ca_file={authority.file}"
    assert shell("settings", "set", "username=svc", "password=secret", file, *more).status == 0


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_the_url_is_found_shown_and_not_set(shell: Shell, tmp_path: Path, auth: str) -> None:
    authority = Authority(tmp_path)
    simulator = exchange()
    simulator.accounts.schemes = ("NTLM", "Basic")
    given(shell, authority, f"auth={auth}")
    with SimulatorThread(simulator, tls=authority.server()) as server:
        at = server.url.removeprefix("https://").partition("/")[0]
        found = shell("autodiscover", ANNA, "--server", at, "--json")
        shown = shell("autodiscover", ANNA, "--server", at)
    assert found.status == 0
    assert found.json["urls"] == [server.url]
    assert found.json["command"] == f"keepstep settings set exchange_url={server.url}"
    assert f"exchange_url={server.url}" in shown.out
    assert shell("settings", "show", "--json").json["exchange_url"] == ""


def test_a_redirect_to_a_stranger_gets_no_password(shell: Shell, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    heard: list[str] = []
    with web_server(200, "", tls=authority.server("127.0.0.1"), heard=heard) as trap:
        simulator = exchange()
        simulator.autodiscover_moved_to = trap.replace("127.0.0.1", "localhost")
        given(shell, authority)
        with SimulatorThread(simulator, tls=authority.server()) as server:
            at = server.url.removeprefix("https://").partition("/")[0]
            found = shell("autodiscover", ANNA, "--server", at)
    assert found.status == 1
    assert heard == []
    assert "--accept localhost" in found.out


def test_what_is_missing_or_wrong_is_said(shell: Shell) -> None:
    assert "not set: username, password" in shell("autodiscover", ANNA).err
    done = shell("autodiscover", "anna")
    assert (done.status, done.out) == (2, "")


def test_the_key_is_changed_and_the_password_is_still_good(shell: Shell) -> None:
    with SimulatorThread(exchange()) as server:
        url = f"exchange_url={server.url}"
        shell("settings", "set", "username=svc", "password=-", url, given="secret\n")
        before = (shell.home / "secret.key").read_bytes()
        done = shell("secrets", "rotate")
        assert (done.status, done.out) == (0, "Encrypted anew: 1 secret.\n")
        assert (shell.home / "secret.key").read_bytes() != before
        shell("operators", "add", ANNA)
        assert shell("doctor").status == 0
