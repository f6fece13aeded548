"""Requests to the simulator by hand, and its answers checked against Microsoft's schemas."""

import base64
from datetime import UTC, datetime, timedelta
from functools import cache

from lxml import etree

from keepstep_simulator import Answer, MailboxModel, Request, Simulator
from tests.shared_material import shared

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
T = "{http://schemas.microsoft.com/exchange/services/2006/types}"
M = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
DAY_TEXT = "2026-12-01T09:00:00+00:00"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Clock:
    """A clock that stands until it is put forward."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@cache
def schema(version: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(shared("ews-schema", version, "messages.xsd")))


def basic(user: str = "svc", password: str = "secret") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def envelope(operation: str, *, mailbox: str | None, version: str | None) -> bytes:
    header = "" if version is None else f'<t:RequestServerVersion Version="{version}"/>'
    if mailbox is not None:
        header += (
            "<t:ExchangeImpersonation><t:ConnectingSID>"
            f"<t:PrimarySmtpAddress>{mailbox}</t:PrimarySmtpAddress>"
            "</t:ConnectingSID></t:ExchangeImpersonation>"
        )
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:t="{T[1:-1]}" xmlns:m="{M[1:-1]}">'
        f"<s:Header>{header}</s:Header><s:Body>{operation}</s:Body></s:Envelope>"
    ).encode()


def ask(
    simulator: Simulator,
    operation: str,
    *,
    mailbox: str | MailboxModel | None = None,
    version: str | None = "Exchange2013",
    authorization: str | None = None,
) -> Answer:
    """Send one operation, by default as the service account impersonating the mailbox."""
    address = mailbox.email if isinstance(mailbox, MailboxModel) else mailbox
    headers = {
        "authorization": authorization or basic(),
        "content-type": "text/xml; charset=utf-8",
        "x-anchormailbox": address or "",
    }
    body = envelope(operation, mailbox=address, version=version)
    return simulator.answer(Request("POST", "/EWS/Exchange.asmx", headers, body))


def payload(answer: Answer) -> etree._Element:
    """Give the answer's element within the SOAP body."""
    body = etree.fromstring(answer.body).find(f"{{{SOAP}}}Body")
    assert body is not None
    return body[0]


def valid(answer: Answer, version: str = "exchange2013") -> etree._Element:
    """Give the answer's element, having held it against the schema of that version."""
    assert answer.status == 200, answer.body
    content = payload(answer)
    schema(version).assertValid(etree.fromstring(etree.tostring(content)))
    return content


def fault_code(answer: Answer) -> str:
    """Give the code of a SOAP fault."""
    assert answer.status == 500
    return payload(answer).findtext("faultcode", "").rpartition(":")[2]


def codes(content: etree._Element) -> list[str]:
    return [each.text or "" for each in content.iter(M + "ResponseCode")]


def shape(base: str = "IdOnly", *fields: str, body: str | None = None) -> str:
    extra = "".join(f'<t:FieldURI FieldURI="{each}"/>' for each in fields)
    wrapped = f"<t:AdditionalProperties>{extra}</t:AdditionalProperties>" if extra else ""
    kind = f"<t:BodyType>{body}</t:BodyType>" if body else ""
    return f"<m:ItemShape><t:BaseShape>{base}</t:BaseShape>{kind}{wrapped}</m:ItemShape>"


def sync(state: str | None = None, most: object = 512, item_shape: str | None = None) -> str:
    given = "" if state is None else f"<m:SyncState>{state}</m:SyncState>"
    return (
        f"<m:SyncFolderItems>{item_shape or shape()}<m:SyncFolderId>"
        f'<t:DistinguishedFolderId Id="calendar"/></m:SyncFolderId>{given}'
        f"<m:MaxChangesReturned>{most}</m:MaxChangesReturned></m:SyncFolderItems>"
    )


def get(*ids: str, item_shape: str | None = None) -> str:
    wanted = "".join(each if each.startswith("<") else f'<t:ItemId Id="{each}"/>' for each in ids)
    return f"<m:GetItem>{item_shape or shape()}<m:ItemIds>{wanted}</m:ItemIds></m:GetItem>"


class Follower:
    """A client that follows one calendar: reads pages and keeps what it was told."""

    def __init__(self, simulator: Simulator, mailbox: MailboxModel) -> None:
        self.simulator = simulator
        self.mailbox = mailbox
        self.state: str | None = None
        self.known: set[str] = set()

    def page(self, most: int = 512) -> tuple[list[tuple[str, str]], bool]:
        """Read one page: (what, item id) in order, and whether it was the last."""
        content = valid(ask(self.simulator, sync(self.state, most), mailbox=self.mailbox))
        assert codes(content) == ["NoError"]
        self.state = content.findtext(f".//{M}SyncState")
        changes = [
            (etree.QName(each).localname, next(each.iter(T + "ItemId")).get("Id", ""))
            for each in content.find(f".//{M}Changes")
        ]
        for what, item_id in changes:
            if what == "Create":
                assert item_id not in self.known, "created twice"
                self.known.add(item_id)
            elif what == "Update":
                assert item_id in self.known, "updated what was never listed"
            else:
                self.known.remove(item_id)
        return changes, content.findtext(f".//{M}IncludesLastItemInRange") == "true"

    def round(self, most: int = 512) -> list[tuple[str, str]]:
        """Read to the last page."""
        found: list[tuple[str, str]] = []
        for _ in range(10_000):
            changes, last = self.page(most)
            assert len(changes) <= most
            found += changes
            if last:
                return found
        raise AssertionError("no last page")
