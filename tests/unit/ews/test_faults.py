"""Whatever Exchange says when it fails has a code of the catalogue, and its pause is obeyed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from keepstep.core.failures import FAILURES
from keepstep.exchange.ews.faults import (
    CODES,
    GONE,
    LONGEST_PAUSE,
    bounded_pause,
    failure_of_code,
    failure_of_status,
    pause_of_headers,
    spoils_batch,
)
from tests.shared_material import shared

NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


def test_every_code_in_the_tables_is_in_the_catalogue() -> None:
    assert set(CODES.values()) <= set(FAILURES)
    assert all(failure_of_status(status).code in FAILURES for status in range(100, 600))


def test_every_response_code_in_the_tables_is_one_of_the_schema() -> None:
    schema = shared("ews-schema", "current", "messages.xsd").read_text(encoding="utf-8")
    assert [code for code in [*CODES, *GONE] if f'value="{code}"' not in schema] == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "redirected"),
        (302, "redirected"),
        (307, "redirected"),
        (400, "not-exchange"),
        (401, "sign-in-refused"),
        (403, "not-exchange"),
        (404, "not-exchange"),
        (407, "proxy-in-the-way"),
        (408, "timed-out"),
        (429, "server-busy"),
        (440, "login-page"),
        (500, "server-error"),
        (502, "server-error"),
        (503, "server-busy"),
        (504, "timed-out"),
    ],
)
def test_an_http_status_has_its_code(status: int, code: str) -> None:
    failure = failure_of_status(status, timedelta(seconds=3))
    assert (failure.code, failure.detail) == (code, f"HTTP {status}")
    assert failure.pause == timedelta(seconds=3)


def test_an_unknown_response_code_is_kept_as_detail() -> None:
    failure = failure_of_code("ErrorOfTomorrow")
    assert (failure.code, failure.detail) == ("request-refused", "ErrorOfTomorrow")


def test_a_schema_fault_about_the_request_version_is_about_the_version() -> None:
    """A server of 2010 knows no Exchange2013: its schema refuses the header."""
    telling = "The value 'Exchange2013' is invalid according to its datatype ':ExchangeVersionType'"
    assert failure_of_code("ErrorSchemaValidation", telling=telling).code == (
        "wrong-exchange-version"
    )
    assert failure_of_code("ErrorSchemaValidation").code == "request-refused"


@pytest.mark.parametrize(
    "code", ["ErrorServerBusy", "ErrorMailboxStoreUnavailable", "ErrorMailboxMoveInProgress"]
)
def test_what_is_about_the_mailbox_spoils_the_batch(code: str) -> None:
    assert spoils_batch(code)


@pytest.mark.parametrize(
    "code",
    ["ErrorItemCorrupt", "ErrorCorruptData", "ErrorInternalServerError", "ErrorOfTomorrow"],
)
def test_what_can_be_one_items_fault_does_not(code: str) -> None:
    assert not spoils_batch(code)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17),
        (" 17 ", 17),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("99999999999999999999", 3600),
        ("Mon, 23 Nov 2026 19:02:00 GMT", 120),
        ("Mon, 23 Nov 2026 18:00:00 GMT", None),
        ("Fri, 23 Nov 2035 18:00:00 GMT", 3600),
        ("Mon, 99 Nov 2026 19:02:00 GMT", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_bounded(value: str, seconds: int | None) -> None:
    pause = pause_of_headers({"retry-after": value}, NOW)
    assert pause == (None if seconds is None else timedelta(seconds=seconds))


def test_a_date_to_wait_for_counts_by_the_servers_own_clock() -> None:
    headers = {
        "retry-after": "Mon, 23 Nov 2026 22:01:00 GMT",
        "date": "Mon, 23 Nov 2026 22:00:00 GMT",
    }
    assert pause_of_headers(headers, NOW) == timedelta(minutes=1)


def test_no_pause_is_longer_than_an_hour() -> None:
    assert bounded_pause(10**15) == LONGEST_PAUSE
    assert bounded_pause(0) is None
