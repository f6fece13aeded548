"""The import of operators: every good row is loaded, every bad one is told."""

import io
import zipfile

import openpyxl
import pytest

from keepstep.core.errors import UsageError
from keepstep.store import import_files, operators
from keepstep.store.imports import Imported, Purpose, Refusal, import_operators
from keepstep.store.models import Mailbox, Operator

pytestmark = pytest.mark.usefixtures("database")

HEADING = "email,name,calendar_sync,access_group,time_zone\n"


@pytest.fixture
def load(tmp_path):
    def load_file(content, name="operators.csv", **options):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return import_operators(file, **options)

    return load_file


def workbook(*rows, change=None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change is not None:
        change(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def zipped(**parts):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return target.getvalue()


def stored():
    columns = ("email", "name", "calendar_sync", "access_group", "time_zone")
    return list(Operator.objects.order_by("email").values_list(*columns))


def test_a_file_adds_operators_with_their_mailboxes(load):
    done = load(
        HEADING
        + "anna@example.com,Anna Größe,true,Sales,Europe/Berlin\n"
        + "bob@example.com,Bob,FALSE,,\n"
    )
    assert done == Imported(added=2, updated=0, unchanged=0, refused=())
    assert stored() == [
        ("anna@example.com", "Anna Größe", True, "Sales", "Europe/Berlin"),
        ("bob@example.com", "Bob", False, "", "UTC"),
    ]
    assert Mailbox.objects.count() == 2


def test_the_same_file_again_changes_nothing(load):
    content = HEADING + "anna@example.com,Anna,true,Sales,Europe/Berlin\n"
    load(content)
    assert load(content) == Imported(added=0, updated=0, unchanged=1, refused=())
    assert Mailbox.objects.count() == 1


def test_known_operators_are_found_in_any_case_and_keep_their_spelling(load):
    operators.add("Anna@example.com", {"name": "Anna"})
    done = load("email,name\nANNA@EXAMPLE.COM,Anna Berg\n")
    assert (done.added, done.updated) == (0, 1)
    assert stored()[0][:2] == ("Anna@example.com", "Anna Berg")


def test_columns_that_the_file_lacks_stay_and_an_empty_switch_or_zone_says_nothing(load):
    operators.add(
        "anna@example.com",
        {"name": "Anna", "calendar_sync": "on", "access_group": "Sales", "time_zone": "Asia/Tokyo"},
    )
    assert load("email\nanna@example.com\n").unchanged == 1
    done = load("email,calendar_sync,time_zone,access_group\nanna@example.com,,,\n")
    assert done.updated == 1
    assert stored() == [("anna@example.com", "Anna", True, "", "Asia/Tokyo")]


def test_each_bad_cell_is_told_with_line_column_and_reason_and_good_rows_are_loaded(load):
    done = load(
        HEADING
        + "anna@example.com,Anna,perhaps,Sales,Mars/Base\n"
        + "\n"
        + "bob@example.com,Bob,yes,Sales,UTC\n"
        + "not an address,C,yes,,\n"
        + ",D,yes,,\n"
        + "BOB@example.com,Bob again,yes,,\n"
        + "eve@example.com,E,yes,,UTC,surplus\n"
        + "fay@example.com,F,yes,system,UTC\n"
    )
    assert done.added == 1
    assert list(done.refused) == [
        Refusal(2, "calendar_sync", "perhaps", "must be on or off (true or false), not 'perhaps'"),
        Refusal(
            2,
            "time_zone",
            "Mars/Base",
            "must be an IANA time zone such as Europe/Berlin, not 'Mars/Base'",
        ),
        Refusal(5, "email", "not an address", "must be an e-mail address, not 'not an address'"),
        Refusal(6, "email", "", "is empty"),
        Refusal(7, "email", "BOB@example.com", "stands in line 4 already"),
        Refusal(8, "", "surplus", "the row has more cells than the heading (5)"),
        Refusal(
            9,
            "access_group",
            "system",
            "must not be 'system': to a job that means every operator",
        ),
    ]
    assert [row[0] for row in stored()] == ["bob@example.com"]


def test_lines_are_counted_as_an_editor_counts_them(load):
    done = load('email,name\n"a@example.com","two\nlines"\nbad,B\n')
    assert [(each.line, each.column) for each in done.refused] == [(2, "name"), (4, "email")]


def test_with_the_purpose_add_a_known_address_is_refused(load):
    operators.add("anna@example.com", {"name": "Anna"})
    done = load("email,name\nANNA@example.com,X\nbob@example.com,B\n", purpose=Purpose.ADD)
    assert done.added == 1
    assert done.refused == (
        Refusal(2, "email", "ANNA@example.com", "is known already, and the purpose is add"),
    )
    assert stored()[0][1] == "Anna"


def test_a_dry_run_tells_the_same_and_changes_nothing(load):
    operators.add("anna@example.com", {})
    content = "email,name\nanna@example.com,Anna\nbob@example.com,Bob\nbad,\n"
    rehearsed = load(content, dry_run=True)
    assert stored() == [("anna@example.com", "", False, "", "UTC")]
    assert Mailbox.objects.count() == 1
    assert load(content) == rehearsed
    assert (rehearsed.added, rehearsed.updated, len(rehearsed.refused)) == (1, 1, 1)


def test_headings_are_read_in_any_case_and_unknown_columns_are_named_and_ignored(load):
    done = load(" EMail ,Phone,NAME\nanna@example.com,112,Anna\n")
    assert stored()[0][:2] == ("anna@example.com", "Anna")
    assert done.notes == ("columns ignored: phone.",)


@pytest.mark.parametrize(
    "content",
    [
        "email;name\r\nanna@example.com;Größe, Anna\r\n".encode(),
        "\ufeffemail;name\r\nanna@example.com;Größe, Anna\r\n".encode(),
        "email\tname\nanna@example.com\tGröße, Anna\n".encode("utf-16"),
        b"sep=;\r\nemail;name\r\nanna@example.com;Gr\xc3\xb6\xc3\x9fe, Anna\r\n",
        'email,name\nanna@example.com,"Größe, Anna"'.encode(),
    ],
    ids=["semicolons", "with a mark", "UTF-16", "separator named", "quoted"],
)
def test_csv_comes_as_spreadsheets_write_it(load, content):
    assert load(content).added == 1
    assert stored()[0][1] == "Größe, Anna"


def test_a_file_in_windows_1252_is_read_and_that_is_said(load):
    done = load("email;name\nanna@example.com;Größe\n".encode("cp1252"))
    assert stored()[0][1] == "Größe"
    assert "was read as Windows-1252" in done.notes[0]


def test_a_workbook_is_read_with_its_own_kinds_of_cells(load):
    content = workbook(
        ["email", "name", "calendar_sync"],
        ["anna@example.com", "Anna", True],
        [None, None, None],
        ["bob@example.com", 12.0, 0],
        ["bad", None, "yes"],
    )
    done = load(content, "operators.xlsx")
    assert [row[:3] for row in stored()] == [
        ("anna@example.com", "Anna", True),
        ("bob@example.com", "12", False),
    ]
    assert [(each.line, each.column) for each in done.refused] == [(5, "email")]


def test_a_formula_is_refused_not_evaluated_and_not_taken_for_text(load):
    content = workbook(
        ["email", "name"], ["anna@example.com", '=HYPERLINK("http://x")'], ["b@example.com", "B"]
    )
    done = load(content, "operators.xlsx")
    assert [(each.line, each.column, each.reason) for each in done.refused] == [
        (2, "name", "is a formula: paste it as a value")
    ]
    assert [row[0] for row in stored()] == ["b@example.com"]


def far_away(book):
    book.active.cell(row=2, column=16_384, value="x")
    book.active.cell(row=1_000_000, column=1, value="zoe@example.com")


def test_a_workbook_with_cells_far_away_costs_little(load):
    content = workbook(["email"], ["anna@example.com"], change=far_away)
    assert load(content, "operators.xlsx").added == 2


DOCTYPE = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><x>&a;</x>'
REFUSED_FILES = {
    "empty": (b"", "is empty."),
    "only blank lines": (b"\n , \n", "is empty."),
    "no column email": (
        b"mail,name\na@example.com,A\n",
        "has no column email (its columns: mail, name).",
    ),
    "a column twice": (b"email,Email\na@example.com,b\n", "has the column email more than once."),
    "a quotation mark not closed": (
        b'email,name\n"a@example.com,A\nb@example.com,B\n',
        "line 2: a quotation mark is opened and never closed.",
    ),
    "binary": (b"email\n\0\1\2", "is neither CSV nor XLSX."),
    "of another encoding": (b"email,name\na@example.com,\x81\x8d\n", "save it as UTF-8."),
    "an old Excel file": (b"\xd0\xcf\x11\xe0rest", "is an old or encrypted Excel file"),
    "a damaged workbook": (b"PK\x03\x04 and no more", "is no XLSX workbook, or is damaged"),
    "a zip of something else": (zipped(hello="world"), "is no XLSX workbook, or is damaged"),
    "a zip bomb": (zipped(bomb=b"\0" * (101 * 1024 * 1024)), "unpacks to more than 100 MB"),
    "a document type": (zipped(x_xml=DOCTYPE), "holds a document type"),
    "a document type in UTF-16": (zipped(x_xml=DOCTYPE.encode("utf-16")), "holds a document type"),
}


@pytest.mark.parametrize("kind", REFUSED_FILES)
def test_a_file_of_no_use_is_refused_as_a_whole(load, kind):
    content, reason = REFUSED_FILES[kind]
    with pytest.raises(UsageError) as refused:
        load(content)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    assert stored() == []


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file or directory"):
        import_operators(tmp_path / "missing.csv")
    with pytest.raises(UsageError, match="Is a directory"):
        import_operators(tmp_path)


def test_size_and_number_of_rows_are_bounded(load):
    with pytest.raises(UsageError, match="more than 100,000 rows"):
        load("email\n" + "a@example.com\n" * 100_001)
    with pytest.raises(UsageError, match="larger than 20 MB"):
        load(b"email\n" + b" " * import_files.LARGEST_FILE)


def test_a_workbook_whose_row_numbers_have_no_end_is_refused(load):
    content = workbook(["email"], ["anna@example.com"])
    source, target = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for part in source.namelist():
            archive.writestr(part, source.read(part).replace(b'<row r="2"', b'<row r="999999999"'))
    with pytest.raises(UsageError, match="more than 1,048,576 rows"):
        load(target.getvalue(), "operators.xlsx")


def test_progress_is_told_to_the_last_row_that_is_stored(load):
    load("email\nknown0@example.com\nknown1@example.com\n")
    rows = [f"new{number}@example.com,N" for number in range(700)]
    content = "email,name\nknown0@example.com,K\nknown1@example.com,\nbad,B\n" + "\n".join(rows)
    seen = []
    load(content, progress=lambda *each: seen.append(each))
    assert seen == [(500, 701), (700, 701), (701, 701)]


def test_an_address_is_known_again_far_below(load):
    rows = [f"user{number}@example.com" for number in range(4_100)]
    rows[4_050] = rows[10].upper()
    content = "email\n" + "\n".join(rows) + "\n"
    assert load(content, dry_run=True).added == 4_099
    done = load(content)
    assert (done.added, Mailbox.objects.count()) == (4_099, 4_099)
    assert done.refused == (
        Refusal(4_052, "email", "USER10@EXAMPLE.COM", "stands in line 12 already"),
    )
    assert load(content).unchanged == 4_099
