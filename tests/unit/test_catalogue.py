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
INTERNAL = {"keepstep.exchange.ews.wire.Malformed"}
# These say what they are by their class: none is a failure of the synchronization.
WITHOUT_CODE = {UsageError, FenceLost}
_CODED = {"ExchangeError", "StoreError", "KeepstepError"}


@pytest.mark.parametrize("code", sorted(FAILURES))
def test_every_code_appears_in_a_test(code: str) -> None:
    naming = [file for file in TESTS.rglob("*.py") if file != Path(__file__)]
    assert any(f'"{code}"' in file.read_text(encoding="utf-8") for file in naming)


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
