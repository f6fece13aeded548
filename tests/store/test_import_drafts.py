"""The Data Import wizard from the upload to the mended file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from uuid import uuid4

import openpyxl  # type: ignore[import-untyped]
import pytest

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.store import accounts, erasure, import_drafts, import_mappings, operators
from keepstep.store.import_files import read_upload
from keepstep.store.import_plan import Outcome, Purpose
from keepstep.store.models import Account, ImportDraft, Operator
from keepstep.store.operator_files import Format, operators_file, template
from keepstep.store.operator_search import Search, every
from keepstep.store.retention import Terms, purge_some
from tests.engine import NOW

pytestmark = pytest.mark.usefixtures("any_database")

CSV = (
    "E-Mail;Vorname;Nachname;Team;Durchwahl\n"
    "anna@example.com;Anna;Berg;Nord;+49 1\n"
    "bert;Bert;Tal;Nord;=1+1\n"
)


@pytest.fixture
def account() -> Account:
    return accounts.create("admin@example.com", Role.ADMINISTRATOR)


def begin(
    account: Account, content: str | bytes = CSV, name: str = "team.csv"
) -> import_drafts.Draft:
    raw = content if isinstance(content, bytes) else content.encode()
    return import_drafts.begin(account, name, raw, NOW)


def cells(content: bytes, form: Format, delimiter: str = ";") -> list[list[str]]:
    if form is Format.CSV:
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=delimiter))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]


def test_from_the_upload_to_the_mended_file(account: Account) -> None:
    draft = begin(account, name="C:\\Users\\me\\team.csv")
    assert draft.file_name == "team.csv"
    assert draft.columns == ("email", "first_name", "last_name", "access_group", None)
    assert draft.notes == ("columns ignored: durchwahl.",)
    assert import_drafts.preview(draft).counts[Outcome.ADDED] == 1
    assert Operator.objects.count() == 0

    done = import_drafts.load(draft.id, account, NOW, by=account.email)
    assert (done.added, len(done.refused)) == (1, 1)
    after = import_drafts.get(draft.id, account)
    assert after.imported == NOW
    assert after.counts[Outcome.REFUSED] == 1
    assert [row.cells[0] for row in after.table.rows] == ["bert"]

    mend = import_drafts.mend_file(draft.id, account)
    assert (mend.name, mend.content_type) == ("team-refused.csv", "text/csv; charset=utf-8")
    assert cells(mend.content, Format.CSV) == [
        ["E-Mail", "Vorname", "Nachname", "Team", "Durchwahl", "problem"],
        ["bert", "Bert", "Tal", "Nord", "'=1+1", "email: must be an e-mail address, not 'bert'"],
    ]
    mended = mend.content.replace(b"\nbert;", b"\nbert@example.com;")
    second = begin(account, mended, mend.name)
    assert import_drafts.load(second.id, account, NOW, by=account.email).added == 1
    assert Operator.objects.get(email="bert@example.com").name == "Bert Tal"


def test_a_workbook_is_mended_as_a_workbook_and_its_problems_are_told_anew(
    account: Account,
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["email", "name"])
    book.active.append(["anna", "=HYPERLINK(1)"])
    target = io.BytesIO()
    book.save(target)
    draft = begin(account, target.getvalue(), "team.xlsx")
    mend = import_drafts.mend_file(draft.id, account)
    assert mend.name == "team-refused.xlsx"
    assert cells(mend.content, Format.XLSX) == [
        ["email", "name", "problem"],
        ["anna", "'=HYPERLINK(1)", "name: is a formula: paste it as a value"],
    ]
    again = begin(account, mend.content, mend.name)
    assert again.notes == ()
    assert cells(import_drafts.mend_file(again.id, account).content, Format.XLSX) == [
        ["email", "name", "problem"],
        ["anna", "'=HYPERLINK(1)", "email: must be an e-mail address, not 'anna'"],
    ]


def test_purpose_and_columns_are_chosen_and_kept(account: Account) -> None:
    operators.add("anna@example.com", {})
    draft = begin(account)
    import_drafts.choose(draft.id, account, purpose=Purpose.ADD)
    import_drafts.choose(draft.id, account, columns=["email", "name", None, None, "access_group"])
    chosen = import_drafts.get(draft.id, account)
    assert chosen.purpose is Purpose.ADD
    assert chosen.columns == ("email", "name", None, None, "access_group")
    assert [row.refusals[0].reason for row in import_drafts.preview(chosen).rows] == [
        "is known already, and the purpose is add",
        "must be an e-mail address, not 'bert'",
    ]
    with pytest.raises(UsageError, match="one column must be the e-mail address"):
        import_drafts.choose(draft.id, account, columns=[None] * 5)


def test_columns_are_kept_under_a_name_and_found_again(account: Account) -> None:
    draft = begin(account, "Wer,Chef\nanna@example.com,North\n")
    import_drafts.choose(draft.id, account, columns=["email", "access_group"])
    import_drafts.save_mapping(draft.id, account, "HR  export", by=account.email)
    assert [each.name for each in import_mappings.listing()] == ["HR export"]
    again = import_drafts.begin(
        account, "x.csv", b"Chef,Wer\nNorth,a@example.com\n", NOW, mapping="hr export"
    )
    assert again.columns == ("access_group", "email")
    with pytest.raises(UsageError, match="did you mean HR export"):
        import_mappings.find("HR exprt")
    import_mappings.delete("hr EXPORT")
    assert import_mappings.listing() == []


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\0b"])
def test_a_mapping_has_a_name_that_can_be_shown(name: str) -> None:
    with pytest.raises(UsageError, match="the mapping's name"):
        import_mappings.save(name, {"mail": "email"})


def test_all_or_nothing_stores_nothing_and_keeps_the_file(account: Account) -> None:
    draft = begin(account)
    done = import_drafts.load(draft.id, account, NOW, all_or_nothing=True, by=account.email)
    assert (done.stored, Operator.objects.count()) == (False, 0)
    assert import_drafts.get(draft.id, account).imported is None
    assert import_drafts.load(draft.id, account, NOW, by=account.email).added == 1


def test_a_file_is_imported_once(account: Account) -> None:
    draft = begin(account)
    import_drafts.load(draft.id, account, NOW, by=account.email)
    with pytest.raises(UsageError, match="imported already"):
        import_drafts.load(draft.id, account, NOW, by=account.email)


def test_a_file_is_for_the_account_that_uploaded_it(account: Account) -> None:
    other = accounts.create("other@example.com", Role.ADMINISTRATOR)
    draft = begin(account)
    for attempt in (
        lambda: import_drafts.get(draft.id, other),
        lambda: import_drafts.choose(draft.id, other, purpose=Purpose.ADD),
        lambda: import_drafts.load(draft.id, other, NOW, by=other.email),
        lambda: import_drafts.mend_file(draft.id, other),
        lambda: import_drafts.get(uuid4(), account),
    ):
        with pytest.raises(UsageError, match="upload it again"):
            attempt()
    import_drafts.discard(draft.id, other)
    assert import_drafts.get(draft.id, account).file_name == "team.csv"
    import_drafts.discard(draft.id, account)
    assert ImportDraft.objects.count() == 0


def test_uploads_go_after_a_day_when_there_are_many_and_when_somebody_is_erased(
    account: Account,
) -> None:
    for _ in range(7):
        begin(account)
    assert ImportDraft.objects.count() == import_drafts.MOST_OF_AN_ACCOUNT
    terms = Terms(timedelta(days=90), timedelta(days=30))
    assert purge_some(terms, NOW + timedelta(hours=23)) == {}
    assert purge_some(terms, NOW + timedelta(hours=25)) == {"uploads": 5}
    begin(account)
    operators.add("anna@example.com", {})
    erasure.erase("anna@example.com")
    assert ImportDraft.objects.count() == 0


@pytest.mark.parametrize("content", [b"", b"email\n", b"email\n\0", b"PK\x03\x04 no"])
def test_a_file_of_no_use_is_not_kept(account: Account, content: bytes) -> None:
    with pytest.raises(UsageError):
        begin(account, content)
    assert ImportDraft.objects.count() == 0


@pytest.mark.parametrize("form", Format)
def test_the_list_is_taken_away_without_formulas_and_can_be_imported_again(
    account: Account, form: Format
) -> None:
    operators.add("=cmd@example.com", {"name": "@SUM(1)", "calendar_sync": "on"})
    operators.add("bert@example.com", {"name": 'Bert "B", Tal', "access_group": "-1"})
    taken = operators_file(every(Search(), NOW), form)
    assert taken.name == f"operators.{form.value}"
    rows = cells(taken.content, form, ",")
    assert rows[0][:2] == ["email", "name"]
    assert ["'=cmd@example.com", "'@SUM(1)"] in [row[:2] for row in rows]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    draft = begin(account, taken.content, taken.name)
    assert import_drafts.preview(draft).counts[Outcome.UNCHANGED] == 2


@pytest.mark.parametrize("form", Format)
def test_the_template_has_the_columns_of_an_import(form: Format) -> None:
    table = read_upload("template", template(form).content)
    assert table.heading == ("email", "name", "calendar_sync", "access_group", "time_zone")
    assert table.rows == ()
