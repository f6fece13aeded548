"""Faults that spoil what the server answered: the work is done, the telling goes wrong."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from keepstep_simulator.ews.envelope import Envelope, EwsError, M, failure
from keepstep_simulator.face import Answer, Delivery
from keepstep_simulator.text import xml

Params = Mapping[str, Any]
Spoiling = Callable[[Answer, Envelope, Params], Answer]

_ITEM = re.compile(r"<t:CalendarItem>.*?</t:CalendarItem>", re.DOTALL)
_GET_MESSAGE = re.compile(r"<m:GetItemResponseMessage .*?</m:GetItemResponseMessage>", re.DOTALL)
_LAST = re.compile(r"(<m:IncludesLastItemInRange>)(?:true|false)(<)")
_STATE = re.compile(r"<m:SyncState>[^<]*</m:SyncState>")
_INSTANT = re.compile(r"(>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z<)")
_RANGE_DATE = re.compile(r"(<t:(?:StartDate|EndDate)>\d{4}-\d\d-\d\d)[^<]*(<)")
_ZONE = re.compile(r"<t:(StartTimeZone|EndTimeZone) [^>]*?(?:/>|(?<!/)>.*?</t:\1>)", re.DOTALL)
_ENUMERATION = re.compile(
    r"(<t:(?:LegacyFreeBusyStatus|Sensitivity|MyResponseType|ResponseType|CalendarItemType)>)"
    r"([A-Za-z]+)(<)"
)


def _rewritten(change: Callable[[str, Params], str]) -> Spoiling:
    def spoil(answer: Answer, _: Envelope, params: Params) -> Answer:
        return replace(answer, body=change(answer.body.decode(), params).encode())

    return spoil


def _lost_answer(answer: Answer, _: Envelope, __: Params) -> Answer:
    """Work done, connection dropped."""
    return replace(answer, delivery=Delivery(drop=True))


def _slow(answer: Answer, _: Envelope, params: Params) -> Answer:
    """Give the whole answer after ``seconds``."""
    delivery = replace(answer.delivery, wait=float(params.get("seconds", 1.0)))
    return replace(answer, delivery=delivery)


def _drip(answer: Answer, _: Envelope, params: Params) -> Answer:
    """One byte every ``seconds``."""
    return replace(answer, delivery=Delivery(drip=float(params.get("seconds", 1.0))))


def _cut(answer: Answer, _: Envelope, params: Params) -> Answer:
    """End the connection after a part (``share``, a half) of the promised length."""
    size = int(len(answer.body) * float(params.get("share", 0.5)))
    return replace(answer, delivery=Delivery(cut=size))


def _truncated(answer: Answer, _: Envelope, params: Params) -> Answer:
    """Give a well-formed HTTP answer that holds only a part (``share``, a half) of the XML."""
    return replace(answer, body=answer.body[: int(len(answer.body) * params.get("share", 0.5))])


def _repeated_page(answer: Answer, envelope: Envelope, _: Params) -> Answer:
    """Give the page leads back to where it began: the given state comes back, more is promised."""
    given = envelope.body.findtext(M + "SyncState") or ""
    text = answer.body.decode()
    if given:
        text = _STATE.sub(f"<m:SyncState>{xml(given)}</m:SyncState>", text)
        text = _LAST.sub(r"\1false\2", text)
    return replace(answer, body=text.encode())


def _poisoned(text: str, params: Params) -> str:
    """One item (``item_id``, or the first) cannot be read: ``how`` it is broken."""
    how = params.get("how", "bad-date")

    def poison(item: str) -> str:
        if how == "no-start":
            return re.sub(r"<t:Start>[^<]*</t:Start>", "", item)
        if how == "bad-type":
            return re.sub(r"(<t:CalendarItemType>)[^<]*", r"\1Nonsense", item)
        if how == "bad-recurrence":
            return re.sub(r"(<t:Interval>)[^<]*", r"\1often", item)
        return re.sub(r"(<t:Start>)[^<]*", r"\g<1>2026-02-30T25:61:00Z", item)

    return _in_one_item(text, params, poison)


def _in_one_item(text: str, params: Params, change: Callable[[str], str]) -> str:
    wanted = params.get("item_id")
    mark = None if wanted is None else f'Id="{xml(wanted)}"'
    for match in _ITEM.finditer(text):
        if mark is None or mark in match[0]:
            return text[: match.start()] + change(match[0]) + text[match.end() :]
    return text


def _item_error(text: str, params: Params) -> str:
    """One message of a GetItem (``item_id``, or the first) is an error ``code`` instead."""
    error = EwsError(str(params.get("code", "ErrorItemNotFound")))
    wanted = params.get("item_id")
    mark = None if wanted is None else f'Id="{xml(wanted)}"'
    for match in _GET_MESSAGE.finditer(text):
        if mark is None or mark in match[0]:
            told = failure("GetItem", error, "<m:Items/>")
            return text[: match.start()] + told + text[match.end() :]
    return text


def _no_times(text: str, _: Params) -> str:
    def strip(match: re.Match[str]) -> str:
        if "<t:CalendarItemType>RecurringMaster<" not in match[0]:
            return match[0]
        return re.sub(r"<t:(Start|End)>[^<]*</t:\1>", "", match[0])

    return _ITEM.sub(strip, text)


def _empty_text_body(text: str, _: Params) -> str:
    return re.sub(r'(<t:Body BodyType="Text">)[^<]*', r"\1", text)


def _no_uid(text: str, params: Params) -> str:
    return _in_every_item(text, params, lambda item: re.sub(r"<t:UID>[^<]*</t:UID>", "", item))


def _in_every_item(text: str, params: Params, change: Callable[[str], str]) -> str:
    if params.get("item_id") is not None:
        return _in_one_item(text, params, change)
    return _ITEM.sub(lambda match: change(match[0]), text)


def _enumerations(text: str, params: Params) -> str:
    """Every enumeration in other case (``how`` is ``case``), or with an unknown word."""

    def change(match: re.Match[str]) -> str:
        word = match[2].lower() if params.get("how", "case") == "case" else "FromTheFuture"
        return f"{match[1]}{word}{match[3]}"

    return _ENUMERATION.sub(change, text)


def _forbidden(text: str, _: Params) -> str:
    """Subjects with a reference to a control character, which XML forbids."""
    return text.replace("</t:Subject>", "&#x1;&#x1F;</t:Subject>")


SPOILINGS: Mapping[str, Spoiling] = {
    "lost-answer": _lost_answer,
    "slow": _slow,
    "drip": _drip,
    "cut": _cut,
    "truncated": _truncated,
    "repeated-page": _repeated_page,
    "last-too-soon": _rewritten(lambda text, _: _LAST.sub(r"\1true\2", text)),
    "never-last": _rewritten(lambda text, _: _LAST.sub(r"\1false\2", text)),
    "poisoned": _rewritten(_poisoned),
    "item-error": _rewritten(_item_error),
    "empty-text-body": _rewritten(_empty_text_body),
    "no-uid": _rewritten(_no_uid),
    "doubled-zone": _rewritten(lambda text, _: _ZONE.sub(r"\g<0>\g<0>", text)),
    "fractional-seconds": _rewritten(lambda text, _: _INSTANT.sub(r"\1.000000000\2", text)),
    "recurrence-datetime": _rewritten(
        lambda text, _: _RANGE_DATE.sub(r"\1T00:00:00.000000Z\2", text)
    ),
    "masters-without-times": _rewritten(_no_times),
    "enumerations": _rewritten(_enumerations),
    "forbidden-characters": _rewritten(_forbidden),
}
