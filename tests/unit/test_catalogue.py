"""The catalogue is whole: each failure has a code, each code has its words and its test."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import keepstep
from keepstep.core.errors import FenceLost, KeepstepError, UsageError
from keepstep.core.failures import FAILURES, Failure
from keepstep.core.failures_page import page

TESTS = Path(__file__).resolve().parents[1]
SOURCE = Path(inspect.getfile(keepstep)).parent
DOCUMENTATION = TESTS.parent / "docs" / "failures.md"

# Errors that are caught where they arise, and never come to a person.
INTERNAL = {
    "keepstep.exchange.ews.transfers.Broken",
    "keepstep.exchange.ews.wire.Malformed",
    "keepstep.sync.fleet.order.NotYet",
    "keepstep.sync.fleet.session.SessionLost",
    "keepstep.sync.trial.Stop",
    "keepstep.web.listener._Gone",
    "keepstep.web.listener._TooLarge",
}
# These say what they are by their class: none is a failure of the synchronization.
WITHOUT_CODE = {UsageError, FenceLost}
# By which a test meets the world: the simulator, a listener, the network, a database.
IN_EARNEST = {"Fault", "Simulator", "SimulatorThread", "listening", "web_server", "fetch", "socket"}
IN_EARNEST |= {"HttpTransport", "sqlite3", "MailServer", "serving"}

_DOCTOR = "system/test_doctor.py"
_HOSTILE = "system/test_hostile.py::test_one_mailbox_is_hostile_and_the_other_is_in_step"
_NOTIFIER = "contract/notifier.py"
_OTHER_SERVER = f"{_DOCTOR}::test_something_else_than_exchange"
_MAILS = "system/test_notices.py"
_RARE = "system/test_rare_failures.py"
_SAID = "unit/ews/test_failures.py::test_the_failure_has_its_code_and_the_next_request_is_good"
_SERVED = "api/test_served.py"
_TOKENS = "unit/ews/test_sign_in.py::test_a_token_endpoint_in_trouble"
_TRACES = "system/test_traces.py"
_WEBHOOKS = "webhooks/test_telling.py"

_SSO = "web/test_single_sign_on.py"
_SSO_ROLES = "web/test_sso_roles.py"
_DISTRUST = "web/test_sso_distrust.py"
_HOSTILE_SERVICE = "web/test_sso_hostile.py"
_PASSWORDS_OFF = "web/test_passwords_off.py"
IN_EARNEST |= {"sign_in_service"}

# Of each code of the catalogue the test that brings it about.
BROUGHT_ABOUT = {
    "sign-in-refused": f"{_DOCTOR}::test_a_wrong_password_is_sent_once",
    "sign-in-not-offered": f"{_DOCTOR}::test_a_way_of_signing_in_that_is_not_offered",
    "token-refused": _TOKENS,
    "token-unavailable": _TOKENS,
    "impersonation-refused": f"{_DOCTOR}::test_an_account_that_may_not_impersonate",
    "no-such-mailbox": f"{_DOCTOR}::test_an_operator_without_a_mailbox",
    "no-email-address": _SAID,
    "folder-missing": f"{_DOCTOR}::test_a_mailbox_without_a_calendar",
    "mailbox-moving": _SAID,
    "store-unavailable": f"{_DOCTOR}::test_a_calendar_that_can_not_be_listed",
    "server-busy": _SAID,
    "timed-out": _HOSTILE,
    "sync-state-refused": _SAID,
    "listing-doubtful": (
        "system/test_hostile.py"
        "::test_a_listing_without_end_fails_its_mailbox_and_a_full_round_heals"
    ),
    "wrong-exchange-version": f"{_DOCTOR}::test_a_version_newer_than_the_server",
    "certificate-not-trusted": f"{_DOCTOR}::test_an_unknown_authority_until_its_file_is_set",
    "certificate-expired": f"{_DOCTOR}::test_a_certificate_that_has_expired",
    "certificate-wrong-name": f"{_DOCTOR}::test_a_certificate_for_another_name",
    "tls-failed": f"{_DOCTOR}::test_plain_http_where_tls_is_expected",
    "name-not-found": "unit/ews/test_transport.py::test_a_name_that_is_not_there",
    "address-forbidden": (
        "unit/ews/test_web.py::test_an_address_of_metadata_is_refused_before_connecting"
    ),
    "connection-refused": f"{_DOCTOR}::test_a_port_that_nothing_listens_at",
    "proxy-in-the-way": f"{_DOCTOR}::test_through_a_proxy_the_proxy_is_looked_for",
    "redirected": (
        "system/test_hostile.py"
        "::test_a_redirect_to_another_server_is_not_followed_and_nothing_is_told"
    ),
    "login-page": _OTHER_SERVER,
    "not-exchange": _OTHER_SERVER,
    "answer-unreadable": _HOSTILE,
    "answer-too-large": _HOSTILE,
    "item-unreadable": (
        f"{_RARE}::test_an_item_that_can_not_be_read_is_told_of_and_its_mailbox_is_in_step"
    ),
    "held-mass-removal": (
        "system/test_window.py::test_a_mass_removal_is_held_until_somebody_decides"
    ),
    "subscription-limit": _SAID,
    "subscription-gone": (
        f"{_NOTIFIER}"
        "::test_a_subscription_that_the_server_forgot_is_named_and_the_others_go_on_without_it"
    ),
    "watermark-refused": f"{_NOTIFIER}::test_a_watermark_that_the_server_forgot_is_refused",
    "notification-url-refused": (
        f"{_NOTIFIER}::test_an_address_that_the_server_does_not_take_is_told_from_other_refusals"
    ),
    "notifications-not-heard": (
        "system/test_delivery.py::test_a_listener_that_exchange_can_not_reach_is_told_and_streams_serve"
    ),
    "notifications-refused": f"{_NOTIFIER}::test_a_server_without_streams_says_so",
    "stream-limit": (
        f"{_NOTIFIER}::test_more_streams_of_one_anchor_than_the_server_allows_are_refused"
    ),
    "stream-dropped": f"{_NOTIFIER}::test_a_stream_cut_within_an_envelope_is_dropped",
    "request-refused": _SAID,
    "server-error": _SAID,
    "database-unavailable": "store/test_unavailable.py::test_a_locked_database",
    "clock-skew": f"{_DOCTOR}::test_clocks_that_differ_are_a_warning",
    "server-slow": f"{_RARE}::test_an_exchange_that_answers_slowly_is_a_warning_of_the_doctor",
    "plain-http": f"{_DOCTOR}::test_through_a_proxy_the_proxy_is_looked_for",
    "certificate-ends-soon": f"{_DOCTOR}::test_a_certificate_that_ends_soon_is_a_warning",
    "mail-not-set-up": (
        f"{_MAILS}::test_without_a_mail_server_it_is_logged_once_that_an_e_mail_waits"
    ),
    "mail-not-sent": f"{_MAILS}::test_why_e_mails_wait_is_told_in_the_words_of_the_mail_server",
    "traces-extra-missing": f"{_TRACES}::test_without_the_extra_one_line_says_so_and_all_works",
    "traces-not-sent": (
        f"{_TRACES}::test_a_collector_that_refuses_is_told_of_once_and_disturbs_nothing"
    ),
    **dict.fromkeys(
        (
            "api-token-missing",
            "api-token-invalid",
            "api-scope-missing",
            "api-role-refused",
            "api-not-found",
            "api-method-not-allowed",
            "api-request-invalid",
            "api-not-possible",
            "api-changed-meanwhile",
            "cursor-unknown",
            "cursor-too-old",
        ),
        f"{_SERVED}::test_what_is_wrong_is_told_by_its_code",
    ),
    "api-too-many-requests": f"{_SERVED}::test_who_asks_too_often_is_told_when_to_come_again",
    "webhook-not-delivered": (
        f"{_WEBHOOKS}::test_a_receiver_that_is_not_there_is_said_to_be_unreachable"
    ),
    "webhook-target-forbidden": (
        f"{_WEBHOOKS}::test_an_address_that_was_allowed_once_is_not_any_more"
    ),
    "sso-not-set-up": (
        f"{_SSO}::test_without_single_sign_on_its_addresses_say_so_and_the_sign_in_page_has_no_button"
    ),
    "sso-unavailable": (
        f"{_HOSTILE_SERVICE}::test_an_answer_that_is_no_description_is_an_end_within_bounds"
    ),
    "sso-refused": f"{_DISTRUST}::test_who_breaks_it_off_is_told_so_and_may_begin_anew",
    "sso-expired": f"{_DISTRUST}::test_an_answer_is_taken_once",
    "sso-not-proven": f"{_DISTRUST}::test_an_id_token_that_proves_nothing_lets_nobody_in",
    "sso-email-unverified": f"{_SSO}::test_an_address_that_was_not_verified_lets_nobody_in",
    "sso-unknown-person": f"{_SSO}::test_somebody_unknown_is_not_let_in_and_nothing_is_made",
    "sso-account-taken": (
        f"{_SSO}::test_an_address_that_was_given_to_another_person_gives_no_account_away"
    ),
    "sso-no-role": f"{_SSO_ROLES}::test_who_lost_the_role_is_refused_and_out_of_all_sessions",
    "account-off": f"{_SSO}::test_an_account_that_is_switched_off_stays_out",
    "passwords-off": (
        f"{_PASSWORDS_OFF}::test_no_password_lets_in_and_the_sign_in_page_asks_for_none"
    ),
    "internal-error": f"{_RARE}::test_a_mistake_of_ours_costs_one_mailbox_and_tells_no_text",
}

_CODED = {"ExchangeError", "StoreError", "SignInError", "KeepstepError"}


def test_every_code_has_its_test_and_no_other_has() -> None:
    assert set(BROUGHT_ABOUT) == set(FAILURES)


@pytest.mark.parametrize("code", sorted(BROUGHT_ABOUT))
def test_its_test_brings_the_code_about_in_earnest(code: str) -> None:
    """It names the code, and what it uses is the simulator, a real socket or a real database."""
    file, _, name = BROUGHT_ABOUT[code].partition("::")
    used = what_is_used(TESTS / file, name)
    assert f'"{code}"' in used
    assert IN_EARNEST & used


def what_is_used(file: Path, test: str) -> set[str]:
    """Give the names and texts in a test, and in all of its module that it refers to."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    parts = dict(named_parts(tree))
    assert test in parts, f"{file} has no {test}"
    used: set[str] = set()
    waiting = [test]
    while waiting:
        for found in words_in(parts[waiting.pop()]):
            if found not in used:
                used.add(found)
                waiting += [found] if found in parts else []
    return used


def named_parts(tree: ast.Module | ast.ClassDef) -> Iterator[tuple[str, ast.AST]]:
    """Give the functions, classes and values of a module by their names."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from named_parts(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((each.id, node) for each in targets if isinstance(each, ast.Name))


def words_in(part: ast.AST) -> Iterator[str]:
    """Give the names that a part refers to, those of its fixtures too, and its quoted texts."""
    for node in ast.walk(part):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield f'"{node.value}"'


@pytest.mark.parametrize("failure", FAILURES.values(), ids=lambda each: each.code)
def test_every_failure_is_told_in_plain_sentences(failure: Failure) -> None:
    assert failure.code == failure.code.lower()
    assert failure.code.replace("-", "").isalpha()
    for text in (failure.message, failure.cause, failure.remedy):
        assert text[0].isupper()
        assert text.endswith(".")
        assert text == " ".join(text.split())
        assert len(text) < 300


def exceptions() -> Iterator[type[BaseException]]:
    """Every exception that is defined in the product."""
    for module in pkgutil.walk_packages([str(SOURCE)], "keepstep."):
        for kind in vars(importlib.import_module(module.name)).values():
            is_exception = isinstance(kind, type) and issubclass(kind, BaseException)
            if is_exception and kind.__module__ == module.name:
                yield kind


def test_every_exception_carries_a_code_or_stays_within() -> None:
    without = {
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in exceptions()
        if not issubclass(kind, KeepstepError)
    }
    assert without == INTERNAL


def codes_raised() -> Iterator[tuple[str, str]]:
    """Every code that is written out where an error with a code is made: where, and the code."""
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in _CODED and node.args:
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield f"{file.relative_to(SOURCE)}:{node.lineno}", part.value


def test_every_code_that_is_raised_is_in_the_catalogue() -> None:
    raised = dict(codes_raised())
    assert len(raised) > 30
    assert {where: code for where, code in raised.items() if code not in FAILURES} == {}


def test_an_error_is_either_of_the_catalogue_or_known_not_to_be() -> None:
    for kind in exceptions():
        if issubclass(kind, KeepstepError) and kind not in WITHOUT_CODE:
            assert "code" in inspect.signature(kind).parameters


def test_the_documentation_is_that_of_the_catalogue() -> None:
    renew = "python -m keepstep.core.failures_page > docs/failures.md"
    assert DOCUMENTATION.read_text(encoding="utf-8") == page(FAILURES.values()), renew
