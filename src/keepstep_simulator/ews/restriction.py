"""Restrictions of FindItem: comparisons on a few properties, joined by and, or, not."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from lxml import etree

from keepstep_simulator.ews.envelope import EwsError, T
from keepstep_simulator.ews.item_reader import read_instant
from keepstep_simulator.items import Item

Test = Callable[[Item], bool]

_VALUES: dict[str, Callable[[Item], Any]] = {
    "calendar:Start": lambda item: item.start,
    "calendar:End": lambda item: item.end,
    "item:LastModifiedTime": lambda item: item.modified,
    "item:DateTimeCreated": lambda item: item.created,
    "item:Subject": lambda item: item.subject or "",
    "calendar:Location": lambda item: item.location or "",
    "calendar:IsAllDayEvent": lambda item: "true" if item.all_day else "false",
    "calendar:IsCancelled": lambda item: "true" if item.cancelled else "false",
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "IsEqualTo": lambda mine, given: bool(mine == given),
    "IsNotEqualTo": lambda mine, given: bool(mine != given),
    "IsGreaterThan": lambda mine, given: bool(mine > given),
    "IsGreaterThanOrEqualTo": lambda mine, given: bool(mine >= given),
    "IsLessThan": lambda mine, given: bool(mine < given),
    "IsLessThanOrEqualTo": lambda mine, given: bool(mine <= given),
}


def read_restriction(element: etree._Element, depth: int = 0) -> Test:
    """Give the test that a search expression makes of an item. Raises EwsError."""
    name = etree.QName(element).localname
    if depth > 32:
        raise EwsError("ErrorRestrictionTooComplex")
    if name in ("And", "Or"):
        tests = [read_restriction(each, depth + 1) for each in element]
        if name == "And":
            return lambda item: all(test(item) for test in tests)
        return lambda item: any(test(item) for test in tests)
    if name == "Not":
        inner = read_restriction(element[0], depth + 1)
        return lambda item: not inner(item)
    value = _value(element)
    if name == "Exists":
        return lambda item: value(item) not in (None, "")
    if name == "Contains":
        constant = element.find(T + "Constant")
        part = "" if constant is None else constant.get("Value", "").casefold()
        return lambda item: part in str(value(item)).casefold()
    if name not in _COMPARE:
        raise EwsError("ErrorUnsupportedTypeForConversion")
    return _comparison(element, value, _COMPARE[name])


def _value(element: etree._Element) -> Callable[[Item], Any]:
    path = element.find(T + "FieldURI")
    uri = "" if path is None else path.get("FieldURI", "")
    if uri not in _VALUES:
        raise EwsError("ErrorUnsupportedPathForQuery")
    return _VALUES[uri]


def _comparison(
    element: etree._Element, value: Callable[[Item], Any], compare: Callable[[Any, Any], bool]
) -> Test:
    constant = element.find(f"{T}FieldURIOrConstant/{T}Constant")
    if constant is None:
        raise EwsError("ErrorUnsupportedPathForQuery")
    text = constant.get("Value", "")

    def test(item: Item) -> bool:
        mine = value(item)
        given: Any = read_instant(text) if isinstance(mine, datetime) else text
        return compare(mine, given)

    return test
