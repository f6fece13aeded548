"""Envelopes from a server that is slow, strange or hostile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.envelope import messages_of, read_answer
from keepstep.exchange.ews.parse import parse
from keepstep.exchange.ews.sync_folder_items import listing_of

NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"


def enveloped(content: str, prolog: str = "", namespace: str = SOAP) -> bytes:
    return (
        f'{prolog}<s:Envelope xmlns:s="{namespace}" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}">'
        f"<s:Body>{content}</s:Body></s:Envelope>"
    ).encode()


def listing(inner: str, response_class: str = "Success") -> str:
    return (
        "<m:SyncFolderItemsResponse><m:ResponseMessages>"
        f'<m:SyncFolderItemsResponseMessage ResponseClass="{response_class}">{inner}'
        "</m:SyncFolderItemsResponseMessage></m:ResponseMessages></m:SyncFolderItemsResponse>"
    )


GOOD = listing("<m:ResponseCode>NoError</m:ResponseCode><m:SyncState>S</m:SyncState>")


def failure(body: bytes, status: int = 200, **headers: str) -> ExchangeError:
    with pytest.raises(ExchangeError) as raised:
        read_answer(RawAnswer(status, headers, body), NOW)
    return raised.value


@pytest.mark.parametrize("namespace", [SOAP, SOAP.replace("http:", "https:")])
def test_both_spellings_of_the_soap_namespace_are_read(namespace: str) -> None:
    answer = read_answer(RawAnswer(200, {}, enveloped(GOOD, namespace=namespace)), NOW)
    assert listing_of(answer).sync_state == "S"


def test_a_byte_order_mark_is_no_harm() -> None:
    body = b"\xef\xbb\xbf" + enveloped(GOOD, '<?xml version="1.0" encoding="utf-8"?>')
    assert listing_of(read_answer(RawAnswer(200, {}, body), NOW)).sync_state == "S"


BOMB = (
    '<!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(
        f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' if n else '<!ENTITY lol0 "&lol;">'
        for n in range(10)
    )
    + "]>"
)


@pytest.mark.parametrize(
    "doctype",
    [
        BOMB,
        '<!DOCTYPE e [<!ENTITY lol9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE e SYSTEM "http://127.0.0.1:9/evil.dtd" [<!ENTITY lol9 "x">]>',
        "<!-- " + "x" * 10_000 + " -->" + '<!DOCTYPE e [<!ENTITY lol9 "x">]>',
    ],
)
@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_with_a_doctype_is_refused_as_a_whole(doctype: str, status: int) -> None:
    body = enveloped(
        listing("<m:SyncState>&lol9;</m:SyncState>").replace("Success", "&lol9;"), doctype
    )
    told = failure(body, status)
    assert told.code == "answer-unreadable"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-7"])
def test_a_doctype_in_another_encoding_is_refused_as_well(encoding: str) -> None:
    prolog = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE e [<!ENTITY a "b">]>'
    body = enveloped(GOOD, prolog).decode().encode(encoding)
    assert failure(body).code in ("answer-unreadable", "not-exchange")


def test_a_document_deeper_than_256_levels_is_refused() -> None:
    deep = "<m:a>" * 100_000 + "</m:a>" * 100_000
    assert failure(enveloped(deep)).code == "answer-unreadable"


@pytest.mark.parametrize("size", [5_000_000, 9_000_000])
def test_a_text_of_five_megabytes_and_more_is_read(size: int) -> None:
    inner = "<m:ResponseCode>NoError</m:ResponseCode>" + f"<m:SyncState>{'x' * size}</m:SyncState>"
    answer = read_answer(RawAnswer(200, {}, enveloped(listing(inner))), NOW)
    assert len(listing_of(answer).sync_state) == size


@pytest.mark.parametrize(
    "forbidden", ["&#x0;", "&#1;", "&#x1F;", "&#xFFFE;", "&#xD83D;", "\x0b", "\ufffe", "&#55357;"]
)
def test_characters_that_xml_forbids_are_dropped_and_the_rest_is_read(forbidden: str) -> None:
    """Exchange passes on what people paste, and writes it as a reference no parser may take."""
    root = parse(f"<a><b>Caf{forbidden}é &#x1F680; &amp;#x1; &#xD;</b></a>".encode())
    assert root[0].text == "Café 🚀 &#x1; \r"


def test_damaged_utf_8_is_read_with_a_mark_in_its_place() -> None:
    assert parse(b"<a>Caf\xe9!</a>").text == "Caf\ufffd!"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"", "answer-unreadable"),
        (200, b"   \r\n", "answer-unreadable"),
        (200, b"It works!", "not-exchange"),
        (200, b'{"error": "no"}', "not-exchange"),
        (200, b"<html><body>Sign in</body></html>", "login-page"),
        (200, b"<!doctype HTML>\n<html lang=en><title>Outlook</title><form>", "login-page"),
        (200, b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-"><html>Login</html>', "login-page"),
        (200, b"<!doctype html><html><h1>Welcome to nginx!</h1></html>", "not-exchange"),
        (200, b"<rss/>", "not-exchange"),
        (200, b"<a", "answer-unreadable"),
        (200, enveloped(GOOD)[:-10], "answer-unreadable"),
        (200, f'<s:Envelope xmlns:s="{SOAP}"/>'.encode(), "answer-unreadable"),
        (200, enveloped(""), "answer-unreadable"),
        (302, b"<html>moved</html>", "redirected"),
        (401, b"<html>no</html>", "sign-in-refused"),
        (403, b"<html>no</html>", "not-exchange"),
        (404, b"", "not-exchange"),
        (407, enveloped(GOOD), "proxy-in-the-way"),
        (500, b"", "server-error"),
        (500, b"<html>Runtime error</html>", "server-error"),
        (500, enveloped(GOOD), "server-error"),
        (502, b"<oops", "server-error"),
        (503, b"<html>busy</html>", "server-busy"),
        (503, b"<oops", "server-busy"),
    ],
)
def test_what_is_no_answer_has_its_code(status: int, body: bytes, code: str) -> None:
    assert failure(body, status).code == code


def fault(code: str, detail: str) -> bytes:
    return enveloped(
        f"<s:Fault><faultcode>{code}</faultcode><faultstring>Zugriff verweigert für Anna"
        f"</faultstring><detail>{detail}</detail></s:Fault>"
    )


BUSY = '<e:ResponseCode xmlns:e="x">ErrorServerBusy</e:ResponseCode>'


@pytest.mark.parametrize("status", [200, 500, 503])
@pytest.mark.parametrize(
    "told",
    [
        '<t:MessageXml><t:Value Name="BackOffMilliseconds">9000</t:Value></t:MessageXml>',
        "<t:BackOffMilliseconds>9000</t:BackOffMilliseconds>",
    ],
)
def test_a_fault_is_one_whatever_the_status_and_its_pause_is_kept(status: int, told: str) -> None:
    busy = failure(fault("a:ErrorServerBusy", BUSY + told), status)
    assert (busy.code, busy.pause) == ("server-busy", timedelta(seconds=9))


def test_the_longer_of_two_pauses_counts() -> None:
    told = '<t:MessageXml><t:Value Name="BackOffMilliseconds">9000</t:Value></t:MessageXml>'
    headers = {"retry-after": "30"}
    busy = failure(fault("a:ErrorServerBusy", BUSY + told), 500, **headers)
    assert busy.pause == timedelta(seconds=30)


@pytest.mark.parametrize("value", ["-1", "soon", "", "9" * 5000])
def test_a_senseless_pause_is_none_or_an_hour(value: str) -> None:
    told = f'<t:MessageXml><t:Value Name="BackOffMilliseconds">{value}</t:Value></t:MessageXml>'
    pause = failure(fault("a:ErrorServerBusy", BUSY + told), 500).pause
    assert pause in (None, timedelta(hours=1))


def test_of_a_faults_text_nothing_is_kept() -> None:
    told = failure(fault("a:ErrorImpersonateUserDenied", ""), 500)
    assert told.code == "impersonation-refused"
    assert "Anna" not in str(told)


def test_an_answer_to_another_question_is_none() -> None:
    answer = read_answer(RawAnswer(200, {}, enveloped(GOOD)), NOW)
    with pytest.raises(ExchangeError) as raised:
        messages_of(answer, "GetItem")
    assert raised.value.code == "answer-unreadable"


@pytest.mark.parametrize("inner", ["", "<m:SyncState/>", "<m:SyncState> </m:SyncState>"])
def test_a_listing_without_a_sync_state_is_none(inner: str) -> None:
    answer = read_answer(RawAnswer(200, {}, enveloped(listing(inner))), NOW)
    with pytest.raises(ExchangeError) as raised:
        listing_of(answer)
    assert raised.value.code in ("listing-doubtful", "request-refused")


def test_a_message_without_a_class_is_judged_by_its_code() -> None:
    busy = listing("<m:ResponseCode>ErrorServerBusy</m:ResponseCode><m:SyncState>S</m:SyncState>")
    for content in (busy, busy.replace(' ResponseClass="Success"', "")):
        answer = read_answer(RawAnswer(200, {}, enveloped(content)), NOW)
        assert answer.messages[0].failed


@pytest.mark.parametrize("change", ["<t:Delete/>", "<t:Create/>", "<t:Update><t:Item/></t:Update>"])
def test_a_change_that_names_no_item_is_not_passed_over(change: str) -> None:
    inner = f"<m:SyncState>S</m:SyncState><m:Changes>{change}</m:Changes>"
    ok = "<m:ResponseCode>NoError</m:ResponseCode>"
    answer = read_answer(RawAnswer(200, {}, enveloped(listing(ok + inner))), NOW)
    with pytest.raises(ExchangeError) as raised:
        listing_of(answer)
    assert raised.value.code == "answer-unreadable"
