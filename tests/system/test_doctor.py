"""`keepstep doctor` against broken set-ups: it names the right first cause, and what to do."""

from __future__ import annotations

import shutil
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keepstep.core.failures import FAILURES
from keepstep_simulator import Fault, SimulatorThread
from tests.system.machines import ANNA, exchange, web_server
from tests.system.shell import Ended, Shell
from tests.unit.ews.certificates import Authority

STEPS = [
    "name", "port", "tls", "exchange", "sign-in", "version", "impersonation", "calendar", "page",
    "clock", "speed", "mail",
]  # fmt: skip
LOGIN = "<!DOCTYPE html><html><title>Outlook</title><form><input type=password></form></html>"


@pytest.fixture
def shell(tmp_path: Path, with_anna: Path) -> Shell:
    return Shell(shutil.copytree(with_anna, tmp_path / "home"))


def point(shell: Shell, url: str, **more: str) -> None:
    given = {"username": "svc", "password": "secret", **more, "exchange_url": url}
    done = shell("settings", "set", *(f"{name}={value}" for name, value in given.items()))
    assert done.status == 0, done


def examined(shell: Shell, *arguments: str) -> dict[str, Any]:
    """Run the doctor; what must hold of any answer is checked here."""
    done = shell("doctor", "--json", *arguments)
    told: dict[str, Any] = done.json
    assert set(told) == {"ok", "steps"}
    assert [step["step"] for step in told["steps"]] == STEPS
    for step in told["steps"]:
        assert set(step) == {"step", "status", "code", "message", "remedy"}
        assert (step["code"] in FAILURES) == (step["status"] in ("failed", "warning"))
    assert done.status == (0 if told["ok"] else 1)
    assert "secret" not in done.out + done.err
    return told


def cause(shell: Shell, *arguments: str) -> tuple[str, str]:
    """Give the step that failed and its code; all before it went well, none after was tried.

    What becomes of e-mails is looked at in any case.
    """
    *steps, mail = examined(shell, *arguments)["steps"]
    assert mail["status"] == "ok"
    [place] = [n for n, step in enumerate(steps) if step["status"] == "failed"]
    assert all(step["status"] in ("ok", "warning") for step in steps[:place])
    assert all(step["status"] == "skipped" for step in steps[place + 1 :])
    assert steps[place]["remedy"]
    return steps[place]["step"], steps[place]["code"]


def remedy(shell: Shell) -> str:
    found = [step for step in examined(shell)["steps"] if step["status"] == "failed"]
    return str(found[0]["remedy"])


def test_all_is_well(shell: Shell) -> None:
    simulator = exchange()
    with SimulatorThread(simulator) as server:
        point(shell, server.url)
        told = examined(shell)
        shown = shell("doctor")
    assert told["ok"]
    assert {step["status"] for step in told["steps"]} == {"ok"}
    assert shown.status == 0
    assert "One request takes" in shown.out
    assert {each.operation for each in simulator.log} <= {
        "", "GetFolder", "SyncFolderItems", "GetItem",
    }  # fmt: skip


def test_what_is_not_set_is_said(shell: Shell) -> None:
    done = shell("doctor", "--json")
    assert (done.status, done.out) == (2, "")
    assert "not set: exchange_url, username, password" in done.err
    assert len(done.err.splitlines()) == 1


def test_an_unknown_operator_is_an_error_of_usage(shell: Shell) -> None:
    point(shell, "http://127.0.0.1:1/")
    done = shell("doctor", "--operator", "nobody@example.com", "--json")
    assert (done.status, done.out) == (2, "")


def test_through_a_proxy_the_proxy_is_looked_for(shell: Shell) -> None:
    far = "http://exchange.invalid/EWS/Exchange.asmx"
    with SimulatorThread(exchange()) as server:
        proxy = server.url.removesuffix("/EWS/Exchange.asmx")
        point(shell, far, http_proxy=proxy, allow_plain_http="on")
        told = examined(shell)
    assert told["ok"]
    assert "The proxy 127.0.0.1" in told["steps"][0]["message"]
    assert told["steps"][2]["code"] == "plain-http"
    assert cause(shell) == ("port", "proxy-in-the-way")


def test_a_name_that_is_not_there(shell: Shell) -> None:
    point(shell, "https://no-such-host.invalid/EWS/Exchange.asmx")
    assert cause(shell) == ("name", "name-not-found")


def test_a_port_that_nothing_listens_at(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        point(shell, f"https://127.0.0.1:{taken.getsockname()[1]}/EWS/Exchange.asmx")
        assert cause(shell) == ("port", "connection-refused")


def test_a_certificate_that_has_expired(shell: Shell, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = authority.server(lasts=timedelta(days=-1))
    with SimulatorThread(exchange(), tls=tls) as server:
        point(shell, server.url, ca_file=str(authority.file))
        assert cause(shell) == ("tls", "certificate-expired")
        assert "Get-ExchangeCertificate" in remedy(shell)


def test_a_certificate_for_another_name(shell: Shell, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with SimulatorThread(exchange(), tls=authority.server("mail.example.com")) as server:
        point(shell, server.url, ca_file=str(authority.file))
        assert cause(shell) == ("tls", "certificate-wrong-name")


def test_an_unknown_authority_until_its_file_is_set(shell: Shell, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with SimulatorThread(exchange(), tls=authority.server(lasts=timedelta(days=90))) as server:
        point(shell, server.url)
        assert cause(shell) == ("tls", "certificate-not-trusted")
        assert "ca_file" in remedy(shell)
        point(shell, server.url, ca_file=str(authority.file))
        assert examined(shell)["ok"]


def test_a_certificate_that_ends_soon_is_a_warning(shell: Shell, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with SimulatorThread(exchange(), tls=authority.server(lasts=timedelta(days=3))) as server:
        point(shell, server.url, ca_file=str(authority.file))
        told = examined(shell)
    assert told["ok"]
    assert told["steps"][2]["code"] == "certificate-ends-soon"


def test_plain_http_where_tls_is_expected(shell: Shell) -> None:
    with SimulatorThread(exchange()) as server:
        point(shell, server.url.replace("http:", "https:"))
        assert cause(shell) == ("tls", "tls-failed")


@pytest.mark.parametrize(
    ("status", "body", "headers", "code"),
    [
        (200, LOGIN, None, "login-page"),
        (302, "", {"Location": "/owa/auth/logon.aspx?url=x"}, "login-page"),
        (302, "", {"Location": "https://other.example.com/"}, "redirected"),
        (200, "<html><h1>It works!</h1></html>", None, "not-exchange"),
        (200, "It works!", None, "not-exchange"),
        (404, "<html>Not Found</html>", None, "not-exchange"),
        (503, "", None, "server-busy"),
        (407, "", None, "proxy-in-the-way"),
    ],
)
def test_something_else_than_exchange(
    shell: Shell, status: int, body: str, headers: dict[str, str] | None, code: str
) -> None:
    heard: list[str] = []
    with web_server(status, body, headers, heard=heard) as url:
        point(shell, url)
        assert cause(shell) == ("exchange", code)
    assert heard
    assert all("authorization" not in each.lower() for each in heard)


def test_a_wrong_password_is_sent_once(shell: Shell) -> None:
    simulator = exchange()
    with SimulatorThread(simulator) as server:
        point(shell, server.url, password="wrong")
        assert cause(shell) == ("sign-in", "sign-in-refused")
    assert len(simulator.log) == 2  # that of the stranger, and that of the account


def test_a_sign_in_marked_as_wrong_is_left_alone_until_it_is_set_again(shell: Shell) -> None:
    simulator = exchange()
    with SimulatorThread(simulator) as server:
        point(shell, server.url, password="wrong", calendar_integration="on")
        for _ in range(3):
            assert cause(shell) == ("sign-in", "sign-in-refused")
        simulator.log.clear()
        told = examined(shell)
        assert [each.user for each in simulator.log] == [None]
        step = told["steps"][4]
        assert (step["step"], step["code"]) == ("sign-in", "sign-in-refused")
        assert "nothing was sent, so that Exchange does not lock the account" in step["message"]
        assert "at once when username or password are set again" in step["message"]
        waiting = shell("sync")
        assert waiting.status == 1
        assert "nothing was sent, so that Exchange does not lock the account" in waiting.err
        assert len(simulator.log) == 1
        point(shell, server.url)
        assert shell("sync").status == 0


def test_a_sign_in_that_succeeds_again_ends_the_pause_of_the_jobs(shell: Shell) -> None:
    simulator = exchange()
    with SimulatorThread(simulator) as server:
        point(shell, server.url, calendar_integration="on")
        simulator.password = "changed"
        assert shell("sync").status == 1
        simulator.password = "secret"
        step = examined(shell)["steps"][4]
        assert step["message"].endswith("mailboxes are tried again at once.")
        assert examined(shell)["steps"][4]["message"] == "svc is signed in (basic)."


def test_who_is_to_be_told_by_e_mail_but_cannot_be_is_a_warning(shell: Shell) -> None:
    with SimulatorThread(exchange()) as server:
        point(shell, server.url, notify_sync_failure_to="boss@example.com")
        told = examined(shell)
        assert told["ok"]
        assert told["steps"][-1]["code"] == "mail-not-set-up"
        assert "No mail server is set" in told["steps"][-1]["message"]
        assert "keepstep testmail" in told["steps"][-1]["remedy"]
        point(shell, server.url, smtp_host="mail.example.com", password="wrong")
        steps = examined(shell)["steps"]
    assert "boss@example.com by mail.example.com:25" in steps[-1]["message"]
    assert [each["status"] for each in steps[-2:]] == ["skipped", "ok"]


def test_a_way_of_signing_in_that_is_not_offered(shell: Shell) -> None:
    simulator = exchange()
    simulator.accounts.schemes = ("Negotiate", "NTLM")
    with SimulatorThread(simulator) as server:
        point(shell, server.url)
        assert cause(shell) == ("sign-in", "sign-in-not-offered")
        assert "Set-WebServicesVirtualDirectory -BasicAuthentication $true" in remedy(shell)
        point(shell, server.url, auth="ntlm")
        assert examined(shell)["ok"]


def test_a_version_newer_than_the_server(shell: Shell) -> None:
    with SimulatorThread(exchange("Exchange2010")) as server:
        point(shell, server.url, exchange_version="Exchange2016")
        assert cause(shell) == ("version", "wrong-exchange-version")
        point(shell, server.url, exchange_version="Exchange2010")
        assert examined(shell)["ok"]


def test_an_account_that_may_not_impersonate(shell: Shell) -> None:
    simulator = exchange()
    simulator.may_not_impersonate.add(ANNA)
    with SimulatorThread(simulator) as server:
        point(shell, server.url)
        assert cause(shell) == ("impersonation", "impersonation-refused")
        command = "New-ManagementRoleAssignment -Name 'Keepstep' -Role ApplicationImpersonation"
        assert f"{command} -User 'svc'" in remedy(shell)


def test_an_operator_without_a_mailbox(shell: Shell) -> None:
    shell("operators", "add", "gone@example.com")
    with SimulatorThread(exchange()) as server:
        point(shell, server.url)
        told = cause(shell, "--operator", "gone@example.com")
        assert told == ("impersonation", "no-such-mailbox")


def test_a_mailbox_without_a_calendar(shell: Shell) -> None:
    simulator = exchange()
    missing = Fault("error", "GetFolder", ANNA, times=None, code="ErrorFolderNotFound")
    simulator.faults.add(missing)
    with SimulatorThread(simulator) as server:
        point(shell, server.url)
        assert cause(shell) == ("calendar", "folder-missing")


def test_a_calendar_that_can_not_be_listed(shell: Shell) -> None:
    simulator = exchange()
    broken = Fault("error", "SyncFolderItems", times=None, code="ErrorMailboxStoreUnavailable")
    simulator.faults.add(broken)
    with SimulatorThread(simulator) as server:
        point(shell, server.url)
        assert cause(shell) == ("page", "store-unavailable")


def test_clocks_that_differ_are_a_warning(shell: Shell) -> None:
    simulator = exchange(ahead=timedelta(minutes=-10))
    with SimulatorThread(simulator, tells_time=True) as server:
        point(shell, server.url)
        told = examined(shell)
    assert told["ok"]
    assert told["steps"][9]["code"] == "clock-skew"
    assert "behind this machine's" in told["steps"][9]["message"]


def test_an_address_of_cloud_metadata(shell: Shell) -> None:
    done = shell("settings", "set", "exchange_url=http://169.254.169.254/latest/meta-data/")
    assert done.status == 2
    assert "cloud metadata" in done.err


def test_without_an_operator_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "empty")
    with SimulatorThread(exchange()) as server:
        point(shell, server.url)
        told = examined(shell)
    assert told["ok"]
    assert "operators import" in told["steps"][6]["message"]


def test_what_a_server_says_can_not_steer_the_terminal(shell: Shell) -> None:
    trap = {"Location": "https://evil\u009b31m.example.com/", "X": "\u202e"}
    with web_server(302, "\x1b[31m", {"Location": trap["Location"]}) as url:
        point(shell, url)
        done: Ended = shell("doctor")
    assert done.status == 1
    assert not any(each in done.out for each in "\x1b\u009b\u202e")
