"""Operators on the command line: searching, switching, files, who did it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.shell import Ended, Shell

PEOPLE = (
    "email,name,calendar_sync,access_group\n"
    "anna@example.com,Anna Berg,true,North\n"
    "bert@example.com,Bert Tal,false,South\n"
    "eve,Eve,perhaps,South\n"
)


@pytest.fixture
def shell(home: Path, empty_home: Path) -> Shell:
    import shutil

    shutil.copytree(empty_home, home)
    return Shell(home)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    return file


def emails(done: Ended) -> list[str]:
    return [each["email"] for each in done.json]


def test_a_preview_tells_of_every_row_and_stores_nothing(shell: Shell, people: Path) -> None:
    done = shell("operators", "import", str(people), "--preview", "--json")
    assert done.status == 1
    assert [(each["line"], each["outcome"]) for each in done.json["rows"]] == [
        (2, "added"),
        (3, "added"),
        (4, "refused"),
    ]
    assert done.json["rows"][0]["changes"]["name"] == [None, "Anna Berg"]
    assert [each["column"] for each in done.json["refused"]] == ["email", "calendar_sync"]
    assert shell("operators", "list", "--json").json == []
    told = shell("operators", "import", str(people), "--preview")
    assert "refused" in told.out.splitlines()[3]
    assert "2 would be added" in told.out


def test_refused_rows_are_mended_and_loaded(shell: Shell, people: Path, tmp_path: Path) -> None:
    refused = tmp_path / "refused.csv"
    nothing = shell("operators", "import", str(people), "--all-or-nothing")
    assert (nothing.status, "2 would be added" in nothing.out) == (1, True)
    done = shell("operators", "import", str(people), "--refused", str(refused))
    assert (done.status, "2 added" in done.out) == (1, True)
    text = refused.read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == "email,name,calendar_sync,access_group,problem"
    refused.write_text(text.replace("eve,Eve,perhaps", "eve@example.com,Eve,no"))
    assert shell("operators", "import", str(refused)).status == 0
    assert len(emails(shell("operators", "list", "--json"))) == 3


def test_operators_are_looked_for_switched_and_shown(shell: Shell, people: Path) -> None:
    shell("operators", "import", str(people))
    listed = ("operators", "list", "--json")
    assert emails(shell(*listed, "--search", "TAL")) == ["bert@example.com"]
    assert emails(shell(*listed, "--status", "waiting")) == ["anna@example.com"]
    assert emails(shell(*listed, "--group", "South")) == ["bert@example.com"]
    assert emails(shell(*listed, "--failure", "server-busy")) == []
    assert shell("operators", "enable", "--group", "South").status == 0
    assert len(emails(shell(*listed, "--status", "waiting"))) == 2
    assert shell("operators", "disable", "--all").status == 0
    assert len(emails(shell(*listed, "--status", "off"))) == 2
    for wrong in ([], ["--all", "anna@example.com"], ["--all", "--status", "off"]):
        refused = shell("operators", "enable", *wrong)
        assert (refused.status, "say whom" in refused.err) == (2, True)
    shown = shell("operators", "show", "ANNA@example.com")
    assert "calendar sync off" in shown.out
    assert shell("operators", "show", "anna@example.com", "--json").json["counts"]["upcoming"] == 0
    assert shell("operators", "show", "nobody@example.com").status == 2


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_what_was_exported_is_imported_unchanged(
    shell: Shell, people: Path, tmp_path: Path, suffix: str
) -> None:
    shell("operators", "import", str(people))
    file = tmp_path / f"out.{suffix}"
    assert shell("operators", "export", str(file)).status == 0
    done = shell("operators", "import", str(file), "--json")
    assert (done.status, done.json["unchanged"]) == (0, 2)
    empty = tmp_path / f"template.{suffix}"
    assert shell("operators", "template", str(empty)).status == 0
    assert shell("operators", "import", str(empty)).status == 0


def test_a_file_that_cannot_be_written_is_told_in_one_line(shell: Shell, tmp_path: Path) -> None:
    for file in ("out.txt", "missing/out.csv"):
        refused = shell("operators", "export", str(tmp_path / file))
        assert refused.status == 2
        assert refused.err.count("\n") == 1


def test_columns_go_by_a_saved_mapping(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "hr.csv"
    file.write_text("Mail;Vorname;Nachname;Büro\nanna@example.com;Anna;Berg;3\n")
    assert shell("operators", "import", str(file)).status == 2
    mapping = ("Mail=email", "Vorname=first_name", "Nachname=last_name", "Büro=")
    assert shell("operators", "mappings", "save", "HR", *mapping).status == 0
    assert shell("operators", "mappings", "list", "--json").json[0]["columns"]["büro"] is None
    assert shell("operators", "import", str(file), "--mapping", "hr").status == 0
    assert shell("operators", "list", "--json").json[0]["name"] == "Anna Berg"
    assert shell("operators", "mappings", "delete", "HR").status == 0
    assert shell("operators", "import", str(file), "--mapping", "hr").status == 2


def test_who_changed_what_is_told_and_never_a_secret(shell: Shell) -> None:
    shell("operators", "add", "anna@example.com", "name=Anna")
    shell("settings", "set", "batch_size=50", "password=-", given="tr0ub4dor\n")
    latest, first = shell("audit", "--json").json
    assert (latest["by"], latest["action"]) == ("command line", "settings.change")
    assert latest["changes"] == {"batch_size": ["100", "50"], "password": "changed"}
    assert (first["action"], first["subject"]) == ("operator.add", "anna@example.com")
    table = shell("audit", "--limit", "1")
    assert "batch_size 100 → 50" in table.out
    assert "tr0ub4dor" not in table.out + table.err
    assert len(shell("audit", "--subject", "anna@example.com", "--json").json) == 1
