"""The order of the doctor's steps, its advice, and the commands it names, apart from any server."""

from __future__ import annotations

import pytest

from keepstep.core.administration import Circumstances, for_administrator, quoted
from keepstep.core.errors import ExchangeError
from keepstep.core.failures import FAILURES
from keepstep.exchange.ews.envelope import ServerVersion
from keepstep.sync.checkup import generation
from keepstep.sync.doctor import Check, Finding, Load, Status, Step, advice, examine, is_well

ABOUT = Circumstances("CORP\\svc", "basic", "anna@example.com")


def finds(message: str, warning: str = "") -> Check:
    async def check() -> Finding:
        return Finding(message, warning)

    return check


def fails(code: str, detail: str = "") -> Check:
    async def check() -> Finding:
        raise ExchangeError(code, detail)

    return check


async def test_a_warning_does_not_stop_the_steps_and_a_failure_does() -> None:
    shown: list[Step] = []
    checks = [
        ("a", finds("fine")),
        ("b", finds("hm", "clock-skew")),
        ("c", fails("sign-in-refused", "HTTP 401")),
        ("d", fails("no-such-mailbox")),
        ("e", finds("fine")),
    ]
    steps = await examine(checks, ABOUT, shown.append)
    assert [step.status for step in steps] == [
        Status.OK, Status.WARNING, Status.FAILED, Status.SKIPPED, Status.SKIPPED,
    ]  # fmt: skip
    assert shown == steps
    assert not is_well(steps)
    assert steps[2].message.endswith("(HTTP 401)")
    assert "the step c" in steps[4].message


async def test_all_well() -> None:
    steps = await examine([("a", finds("fine")), ("b", finds("hm", "plain-http"))], ABOUT)
    assert is_well(steps)
    assert steps[0] == Step("a", Status.OK, None, "fine", None)


async def test_a_failure_without_a_code_of_the_catalogue_is_internal() -> None:
    [step] = await examine([("a", fails("whatever"))], ABOUT)
    assert step.code == "internal-error"


@pytest.mark.parametrize(
    ("seconds", "load", "warning", "words"),
    [
        ([0.01, 0.02, 5.0], Load(0, 20, None), "", "One request takes 20 ms."),
        ([0.05], Load(1000, 20, 5), "", "takes about 2.5 s for 1000 mailboxes"),
        ([0.05], Load(1000, 20, 5), "", "A pause of 1 minute between rounds is enough."),
        ([1.0], Load(5000, 20, 5), "server-slow", "Leave at least 9 minutes between rounds."),
        ([1.0], Load(5000, 20, None), "", "A pause of 9 minutes"),
        ([3.0], Load(1, 20, 5), "server-slow", "One request takes 3.0 s."),
    ],
)
def test_the_advice_on_speed(seconds: list[float], load: Load, warning: str, words: str) -> None:
    found = advice(seconds, load)
    assert found.warning == warning
    assert words in found.message


def test_the_commands_for_the_administrator_take_names_as_they_are() -> None:
    about = Circumstances("x'; Remove-Mailbox\u2019", "basic", "anna@example.com")
    told = for_administrator("impersonation-refused", about)
    assert "-User 'x''; Remove-Mailbox\u2019\u2019'" in told
    assert quoted("plain") == "'plain'"
    assert for_administrator("timed-out", about) == ""


@pytest.mark.parametrize("code", sorted(FAILURES))
def test_each_code_can_be_asked_for(code: str) -> None:
    told = for_administrator(code, ABOUT)
    assert told == "" or told.startswith("For the administrator of Exchange: ")


@pytest.mark.parametrize(
    ("version", "name"),
    [
        (ServerVersion(14, 3, 123, 4), "Exchange2010"),
        (ServerVersion(15, 0, 1497, 2), "Exchange2013"),
        (ServerVersion(15, 1, 2507, 6), "Exchange2016"),
        (ServerVersion(15, 2, 1544, 4), "Exchange2019"),
        (ServerVersion(15, 2, 2562, 17), "ExchangeSE"),
        (ServerVersion(8, 3, 0, 0), ""),
        (ServerVersion(15, 20, 1, 0), ""),
    ],
)
def test_the_generation_of_a_server(version: ServerVersion, name: str) -> None:
    assert generation(version) == name
