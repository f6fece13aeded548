"""Wrong settings are refused in one line, and nothing is changed."""

from __future__ import annotations

import pytest

from tests.system.product import Ended, Keepstep


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("batch_size=0", "batch_size"),
        ("batch_size=513", "batch_size"),
        ("batch_size=many", "batch_size"),
        ("exchange_version=Exchange2007", "exchange_version"),
        ("exchange_url=exchange.example.com/EWS/Exchange.asmx", "exchange_url"),
        ("notify_sync_failure_to=ops@example.com;nobody", "notify_sync_failure_to"),
        ("past_days=-1", "past_days"),
        ("no_such_setting=1", "no_such_setting"),
    ],
)
def test_a_wrong_setting_is_refused_and_a_right_one_beside_it_not_taken(
    keepstep: Keepstep, wrong: str, said: str
) -> None:
    before = keepstep.settings()
    ended = keepstep.run("settings", "set", "notification_frequency=45", wrong)
    assert_refused(ended)
    assert said in ended.errors
    assert keepstep.settings() == before


def test_what_is_missing_or_off_is_said_before_anything_is_asked(keepstep: Keepstep) -> None:
    keepstep.set(username="")
    ended = keepstep.run("sync", "--json")
    assert_refused(ended)
    assert "username" in ended.errors
    keepstep.set(username="svc", calendar_integration="off")
    ended = keepstep.run("sync")
    assert_refused(ended)
    assert "calendar_integration=on" in ended.errors
    assert_refused(keepstep.run("sync", "--operator", "nobody@example.com"))


def assert_refused(ended: Ended) -> None:
    assert (ended.status, ended.output) == (2, "")
    assert ended.errors.startswith("keepstep: ")
    assert ended.errors.count("\n") == 1
    assert "Traceback" not in ended.errors
