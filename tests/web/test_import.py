"""The Data Import wizard: from a file to operators, and what was refused back as a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from time import monotonic, sleep

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from keepstep.store import operators
from keepstep.store.import_files import LARGEST_FILE
from keepstep.store.models import Account, ImportDraft, Mailbox, Operator

ANNA = "anna@example.com"
MIXED = (
    "E-Mail;Vorname;Nachname;Team;Kalenderabgleich\n"
    "bo@example.com;Bo;Ek;East;ja\n"
    "anna@example.com;Anna;Adler-Ruiz;West;nein\n"
    "nobody;No;Body;East;ja\n"
    "bo@example.com;Bo;Again;East;ja\n"
)


@pytest.fixture
def client(client_of: Callable[[Account], Client], administrator: Account) -> Client:
    return client_of(administrator)


def uploaded(client: Client, content: str | bytes, name: str = "team.csv") -> str:
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    answer = client.post("/operators/import", {"file": file})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    return answer.headers["Location"]


def chosen(client: Client, address: str, purpose: str = "add-or-update", **more: str) -> str:
    page = client.get(address).content.decode()
    form = {"purpose": purpose, **more}
    for place, body in re.findall(r'<select name="(column-\d+)"(.*?)</select>', page, re.DOTALL):
        marked = re.search(r'value="(\w+)" selected', body)
        form.setdefault(place, marked.group(1) if marked else "")
    answer = client.post(address, form)
    assert answer.status_code == 302
    return answer.headers["Location"]


def loaded(client: Client, address: str, **more: str) -> str:
    page = client.post(f"{address}/load", more).content.decode()
    task = re.search(r'hx-get="(/tasks/[^"]+)"', page)
    assert task is not None
    until = monotonic() + 20
    while monotonic() < until:
        shown = client.get(task.group(1)).content.decode()
        if "hx-get" not in shown:
            return shown
        sleep(0.05)
    raise AssertionError("the import did not end")


def test_good_rows_come_in_and_bad_ones_go_back_as_a_file(
    client: Client, operator: Account
) -> None:
    draft = uploaded(client, MIXED)
    preview = chosen(client, draft)
    page = client.get(preview).content.decode()
    assert page.count("<tr>") == 5
    assert "Import 2 rows" in page
    shown = loaded(client, draft)
    assert "1 operator was added." in shown
    assert "2 rows were refused." in shown
    assert operators.find("bo@example.com").name == "Bo Ek"
    assert operators.find(ANNA).name == "Anna Adler-Ruiz"
    refused = client.get(f"{draft}/refused")
    assert "attachment" in refused.headers["Content-Disposition"]
    mended = refused.content.decode("utf-8-sig").replace("nobody;", "no@example.com;")
    again = uploaded(client, mended, "team-refused.csv")
    chosen(client, again)
    assert "1 operator was added." in loaded(client, again)
    assert operators.find("no@example.com").access_group == "East"


def test_all_or_nothing_imports_nothing_where_a_row_is_refused(
    client: Client, operator: Account
) -> None:
    draft = uploaded(client, MIXED)
    chosen(client, draft)
    assert "Nothing was imported" in loaded(client, draft, whole="true")
    assert Operator.objects.count() == 1


def test_add_only_refuses_whom_it_knows(client: Client, operator: Account) -> None:
    preview = chosen(client, uploaded(client, f"email\n{ANNA}\nbo@example.com\n"), "add")
    assert "Import 1 row" in client.get(preview).content.decode()


def test_columns_are_saved_under_a_name_and_taken_for_the_next_file(client: Client) -> None:
    strange = "Who;Where\nbo@example.com;East\n"
    draft = uploaded(client, strange)
    chosen(
        client,
        draft,
        **{"column-0": "email", "column-1": "access_group", "save_as": "Staff list of HR"},
    )
    file = SimpleUploadedFile("next.csv", strange.encode())
    answer = client.post("/operators/import", {"file": file, "mapping": "Staff list of HR"})
    page = client.get(answer.headers["Location"]).content.decode()
    assert 'value="access_group" selected' in page
    client.post("/operators/import/mapping/delete", {"name": "Staff list of HR"})
    assert "Staff list of HR" not in client.get("/operators/import").content.decode()


def test_a_workbook_is_taken_too(client: Client) -> None:
    template = client.get("/operators/import/template.xlsx")
    from openpyxl import load_workbook

    book = load_workbook(BytesIO(template.content))
    book.worksheets[0].append(["bo@example.com", "Bo"])
    file = BytesIO()
    book.save(file)
    draft = uploaded(client, file.getvalue(), "team.xlsx")
    chosen(client, draft)
    assert "1 operator was added." in loaded(client, draft)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("heading.csv", b"email\n"),
        ("binary.csv", bytes(range(256)) * 10),
        ("fake.xlsx", b"PK\x03\x04 no workbook"),
        ("large.csv", b"email\n" + b"x" * LARGEST_FILE),
    ],
)
def test_a_file_of_no_use_is_refused_with_words(client: Client, name: str, content: bytes) -> None:
    answer = client.post("/operators/import", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 422
    assert "notice-error" in answer.content.decode()
    assert ImportDraft.objects.count() == 0


def test_cells_that_look_like_formulas_are_harmless_in_an_export(client: Client) -> None:
    operators.add("bo@example.com", {"name": "=cmd|' /C calc'!A0", "access_group": "@East"})
    exported = client.get("/operators/export").content.decode("utf-8-sig")
    assert '"=cmd' not in exported
    assert ",=cmd" not in exported
    assert ",@East" not in exported


def test_an_uploaded_file_is_its_owner_s_alone(
    client: Client, client_of: Callable[[Account], Client], administrator: Account
) -> None:
    from keepstep.core.roles import Role
    from keepstep.store import accounts

    draft = uploaded(client, MIXED)
    other = client_of(accounts.create("other@example.com", Role.ADMINISTRATOR))
    for address in (draft, f"{draft}/preview", f"{draft}/refused"):
        assert other.get(address).status_code == 404
    assert other.post(f"{draft}/load").status_code == 404


def test_a_preview_costs_no_query_for_each_row(client: Client) -> None:
    known = Operator.objects.bulk_create(
        Operator(email=f"person.{number}@example.com", name="Before") for number in range(600)
    )
    Mailbox.objects.bulk_create(Mailbox(operator=each) for each in known)
    costs = []
    for size in (10, 1000):
        rows = "".join(f"person.{number}@example.com,Person {number}\n" for number in range(size))
        preview = chosen(client, uploaded(client, "email,name\n" + rows))
        with CaptureQueriesContext(connection) as queries:
            assert f"Import {size} rows" in client.get(preview).content.decode()
        costs.append(len(queries))
    assert costs[1] <= costs[0] + 3
