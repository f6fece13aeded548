"""Wrong settings are refused in one line, and nothing is changed."""

from __future__ import annotations

from tests.system.product import Ended, Keepstep

WRONG = (
    "batch_size=0",
    "batch_size=513",
    "batch_size=many",
    "exchange_version=Exchange2007",
    "exchange_url=exchange.example.com/EWS/Exchange.asmx",
    "notify_sync_failure_to=ops@example.com;nobody",
    "past_days=-1",
    "no_such_setting=1",
)


def test_a_wrong_setting_is_refused_and_a_right_one_beside_it_not_taken(
    keepstep: Keepstep,
) -> None:
    before = keepstep.settings()
    for wrong in WRONG:
        ended = keepstep.run("settings", "set", "notification_frequency=45", wrong)
        assert_refused(ended)
        assert wrong.partition("=")[0] in ended.errors
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
