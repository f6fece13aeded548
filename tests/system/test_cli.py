"""The command line as a whole: exit statuses, one plain line for what is wrong, the first start."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import click
import pytest

from keepstep import cli
from keepstep.cli.group import Entry
from tests.system.shell import Shell


@pytest.fixture
def shell(tmp_path):
    """Commands in a home that is not there yet."""
    return Shell(tmp_path / "home")


def said(ended):
    """The one line on standard error of a command that was refused."""
    assert ended.status == 2, ended
    assert ended.out == ""
    (line,) = ended.err.splitlines()
    return line.removeprefix("keepstep: ")


def test_help_needs_neither_the_database_nor_the_network():
    code = (
        "import sys\nfrom keepstep.cli import main\nassert main(['--help']) == 0\n"
        "print(sorted({'django', 'aiohttp', 'lxml', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "keepstep" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_commands_do_not_load_what_only_the_pages_need(tmp_path):
    code = (
        "import sys\nfrom keepstep.cli import main\n"
        "assert main(['sync']) == 2\nassert main(['people', 'list']) == 0\n"
        "print(sorted({'allauth.socialaccount.models', 'jwt', 'requests'} & set(sys.modules)))"
    )
    environment = {**os.environ, "KEEPSTEP_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_leaves_no_trace(shell):
    assert shell("sync", "--help").status == 0
    assert shell("--version").out.startswith("keepstep ")
    assert not shell.home.exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["settings", "set", "batch_size=513"], "batch_size must be a whole number from 1 to 512"),
        (["settings", "set", "batch_size"], "give NAME=VALUE, not 'batch_size'."),
        (["settings", "set", "auth=ntlm", "auth=basic"], "auth is given twice."),
        (["synchronize"], "No such command 'synchronize'."),
        (["appointments"], "name either --operator EMAIL or --team GROUP."),
        (["appointments", "--operator", "x@example.com"], "no operator has the e-mail address"),
        (["sync"], "calendar integration is off: keepstep settings set calendar_integration=on"),
        (["operators", "import", "missing.csv"], "can't read missing.csv: No such file"),
        (["serve", "--bind", "8000"], "Invalid value for '--bind': '8000' is not HOST:PORT"),
        (["serve", "--bind", "h:99999"], "Invalid value for '--bind': '99999' is no port"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_status_2(ready, arguments, line):
    assert said(ready(*arguments)).startswith(line)


def test_settings_are_changed_all_or_none_and_shown_without_secrets(shell):
    said(shell("settings", "set", "batch_size=7", "exchange_version=Exchange2007"))
    assert shell("settings", "show", "--json").json["batch_size"] == 100
    done = shell("settings", "set", "batch_size=7", "password=-", given="ge=heim ä\n")
    assert (done.status, done.err) == (0, "")
    shown = shell("settings", "show", "--json")
    assert (shown.json["batch_size"], shown.json["password"]) == (7, "set")
    assert "ge=heim" not in shown.out + shell("settings", "show").out
    assert said(shell("settings", "set", "password=-")) == "password: standard input is empty."
    kept = b"".join(file.read_bytes() for file in shell.home.rglob("*") if file.is_file())
    assert b"ge=heim" not in kept


def test_an_empty_home_is_set_up_once_by_commands_that_start_together(shell):
    started = [shell.start("operators", "list", "--json") for _ in range(4)]
    ended = [(*each.communicate(timeout=60), each.returncode) for each in started]
    assert ended == [("[]\n", "", 0)] * 4
    assert (shell.home / "keepstep.sqlite3").stat().st_mode & 0o077 == 0
    assert (shell.home / "secret.key").stat().st_mode & 0o077 == 0


def test_a_first_start_that_is_killed_leaves_nothing_half_made(shell):
    for tenths in (3, 5, 6, 7, 8, 9):
        process = shell.start("operators", "list", "--json")
        time.sleep(tenths / 10)
        process.kill()
        process.communicate()
    done = shell("operators", "list", "--json")
    assert (done.status, done.out, done.err) == (0, "[]\n", "")


def test_a_file_that_is_no_database_is_said_plainly(shell):
    shell.home.mkdir()
    (shell.home / "keepstep.sqlite3").write_text("This is a letter to my aunt. " * 100)
    assert "is not a database: restore a back-up" in said(shell("operators", "list"))


def test_a_home_that_cannot_be_used_is_said_plainly(shell, tmp_path):
    shell.home.write_text("a file")
    assert said(shell("operators", "list")).startswith("KEEPSTEP_HOME: can't use")
    elsewhere = Shell(tmp_path / "b", KEEPSTEP_DATABASE_URL=f"sqlite:///{tmp_path}/no/such/dir/x")
    assert "can't open the database" in said(elsewhere("operators", "list"))
    unknown = Shell(tmp_path / "b", KEEPSTEP_DATABASE_URL="mysql://db.example.com/x")
    assert said(unknown("operators", "list")).startswith("KEEPSTEP_DATABASE_URL must begin with")
    away = Shell(tmp_path / "b", KEEPSTEP_DATABASE_URL="postgresql://u:geheim@127.0.0.1:9/x")
    line = said(away("operators", "list"))
    assert line.startswith("the database x on 127.0.0.1 can't be used")
    assert "geheim" not in line


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        (
            "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_x', '2030')",
            "the database is of a newer version of Keepstep",
        ),
        (
            "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations"
            " WHERE app = 'store')",
            "the database is of an older version of Keepstep: back it up, then keepstep migrate.",
        ),
        (
            "DROP TABLE django_migrations",
            "the database is of an older version of Keepstep",
        ),
    ],
)
def test_a_database_of_another_version_is_left_alone(shell, statement, line):
    assert shell("migrate").out == "The database was set up.\n"
    assert shell("migrate").out == "The database is up to date.\n"
    with closing(sqlite3.connect(shell.home / "keepstep.sqlite3")) as raw, raw:
        raw.execute(statement)
    assert said(shell("operators", "list")).startswith(line)


def test_a_database_of_another_program_is_left_alone(shell):
    shell.home.mkdir()
    with closing(sqlite3.connect(shell.home / "keepstep.sqlite3")) as raw, raw:
        raw.execute("CREATE TABLE recipe (name TEXT)")
    assert "is a database of another program" in said(shell("migrate"))


def test_nobody_reading_the_output_is_no_error_worth_a_word(shell):
    process = shell.start("settings", "show", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


def test_an_interrupt_is_quiet(shell):
    process = shell.start("settings", "set", "password=-", stdin=subprocess.PIPE)
    until = time.monotonic() + 60
    while not (shell.home / "keepstep.sqlite3").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")


def test_a_simulator_that_is_interrupted_has_done_its_work(shell):
    process = shell.start("simulator", "--bind", "127.0.0.1:0", "--mailboxes", "1")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Exchange stand-in")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_an_address_in_use_is_said_plainly(shell):
    process = shell.start("simulator", "--bind", "127.0.0.1:0", "--mailboxes", "0")
    assert process.stdout is not None
    port = process.stdout.readline().split(":")[2].split("/")[0]
    line = said(shell("simulator", "--bind", f"127.0.0.1:{port}"))
    assert line.startswith(f"can't listen on 127.0.0.1:{port}")
    process.terminate()
    process.communicate(timeout=60)


@click.command()
def broken() -> None:
    """Fail as no command should."""
    raise ZeroDivisionError("only for the log")


def test_an_unexpected_failure_shows_no_traceback_but_logs_it(home, monkeypatch, capsys):
    monkeypatch.setitem(cli.ENTRIES, "broken", Entry("tests.system.test_cli:broken", "Fails."))
    assert cli.main(["broken"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("keepstep: Keepstep failed inside.")
    assert "keepstep.log" in line


def test_the_log_has_the_traceback_of_an_unexpected_failure(shell):
    code = (
        "import sys\nfrom keepstep import cli\nfrom keepstep.cli.group import Entry\n"
        "cli.ENTRIES['broken'] = Entry('tests.system.test_cli:broken', 'Fails.')\n"
        "sys.exit(cli.main(['broken']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=shell.environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert "ZeroDivisionError" in (shell.home / "logs" / "keepstep.log").read_text()


def test_the_demo_ends_by_itself_and_cleans_up(tmp_path):
    shell = Shell(tmp_path / "home", DEMO_SECONDS="3", TMPDIR=str(tmp_path))
    done = shell("demo")
    assert (done.status, done.err) == (0, "")
    assert "came in" in done.out
    lines = [each for each in done.out.splitlines() if not each.startswith("http://127.0.0.1:")]
    assert len(lines) == len(done.out.splitlines()) - 1
    assert all(len(line) <= 80 for line in lines)
    assert list(tmp_path.iterdir()) == []
