"""What the benchmarks conclude from what they measured: ratios, goals, losses between commits."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.canned import CannedExchange, answers_of
from benchmarks.compare import report
from benchmarks.figure import Figure, Goal, Pass, table
from benchmarks.lateness import lateness
from benchmarks.record import Record, changes, read_record, record_of
from benchmarks.recording import Exchanged, recording
from benchmarks.rows import ALL, BESIDE, chosen
from benchmarks.worktrees import missing

NONE = Goal()
AT = datetime(2026, 11, 27, tzinfo=UTC)


def _figure(
    ours: float, rival: float | None = None, limit: float | None = None, goal: Goal = NONE
) -> Figure:
    return Figure("poll", "ms", [Pass(ours, rival, limit)], goal=goal)


def _record(*figures: Figure) -> Record:
    kept: Record = json.loads(json.dumps(record_of(figures, AT)))
    return kept


def test_a_ratio_is_the_median_of_the_passes_so_that_one_slow_pass_does_no_harm() -> None:
    figure = Figure("poll", "ms", [Pass(1, 10, 0.5), Pass(8, 16, 4), Pass(2, 22, 1)])
    assert figure.ratio == 10
    assert figure.times == 2
    assert (figure.ours, figure.rival, figure.limit) == (2, 16, 1)


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (Goal(), ""),
        (Goal(most=1), "yes"),
        (Goal(most=0.9), "no"),
        (Goal(ratio=15), "yes"),
        (Goal(ratio=20, at_least=12), "at the least"),
        (Goal(ratio=20, at_least=16), "no"),
        (Goal(ratio=15, times=3), "no"),
        (Goal(ratio=15, times=4), "yes"),
        (Goal(ratio=20, at_least=12, times=3), "no"),
    ],
)
def test_a_goal_is_reached_where_all_that_it_asks_is(goal: Goal, reached: str) -> None:
    assert _figure(1, 15, 0.25, goal).reached == reached


def test_a_goal_beside_what_was_not_measured_is_not_reached() -> None:
    assert _figure(1, goal=Goal(ratio=2)).reached == "no"
    assert _figure(1, goal=Goal(times=2)).reached == "no"


def test_the_table_shows_ratio_limit_and_goal_and_says_what_they_are() -> None:
    figure = Figure(
        "idle poll",
        "ms",
        [Pass(0.25, 5, 0.1)],
        "another client",
        "bare sockets",
        Goal(ratio=20, at_least=12, times=3),
    )
    heading, line, _, *told = table([figure]).splitlines()
    assert heading.split(maxsplit=5)[:5] == ["figure", "ours", "rival", "ratio", "limit"]
    assert "0.25 ms" in line
    assert "20.0x" in line
    assert "2.50" in line
    assert "20x (12x at the least), <= 3x the limit" in line
    assert line.endswith("yes")
    assert told == [
        "idle poll: the rival is another client",
        "idle poll: the limit is bare sockets",
    ]


def test_a_record_tells_commit_machine_and_all_that_the_table_shows(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text(json.dumps(record_of([_figure(1, 20, 0.5, Goal(ratio=20))], AT)))
    record = read_record(file)
    assert len(record["commit"].rstrip("+")) == 40
    assert record["at"] == "2026-11-27T00:00:00+00:00"
    assert record["python"].startswith("3.")
    assert record["machine"]["processors"] >= 1
    (figure,) = record["figures"]
    assert (figure["ratio"], figure["times"], figure["reached"]) == (20, 2, "yes")
    assert figure["passes"] == [{"ours": 1, "rival": 20, "limit": 0.5}]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"figures": [1]}'])
def test_a_file_that_is_no_record_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "record.json"
    file.write_text(content)
    with pytest.raises(SystemExit, match=r"record\.json holds no record"):
        read_record(file)


@pytest.mark.parametrize(("after", "is_loss"), [(20, False), (18.1, False), (17.9, True)])
def test_a_ratio_that_is_worse_by_more_than_a_tenth_is_a_loss(after: float, is_loss: bool) -> None:
    (change,) = changes([_record(_figure(1, 20))], [_record(_figure(1, after))])
    assert (change.measure, change.is_loss) == ("ratio", is_loss)


def test_of_several_runs_the_medians_are_compared() -> None:
    before = [_record(_figure(1, ratio)) for ratio in (19, 20, 21)]
    after = [_record(_figure(1, ratio)) for ratio in (5, 20, 40)]
    (change,) = changes(before, after)
    assert change.change == 0


def test_where_there_is_no_rival_the_limit_is_what_is_compared_with() -> None:
    (change,) = changes([_record(_figure(2, limit=1))], [_record(_figure(3, limit=1))])
    assert (change.measure, change.is_loss) == ("x limit", True)


def test_seconds_alone_are_shown_and_are_no_loss() -> None:
    (change,) = changes([_record(_figure(1))], [_record(_figure(2))])
    assert (change.measure, change.change, change.is_loss) == ("ours", -0.5, False)


def test_a_comparison_ends_with_1_for_a_loss_and_2_for_nothing_in_common(
    capsys: pytest.CaptureFixture[str],
) -> None:
    good, bad = _record(_figure(1, 20)), _record(_figure(2, 20))
    assert report([good], [good]) == 0
    assert report([bad], [good]) == 0
    assert "LOSS" not in capsys.readouterr().out
    assert report([good], [bad]) == 1
    assert "LOSS" in capsys.readouterr().out
    assert report([good], [_record(Figure.once("other", "s", 1))]) == 2


def test_rows_are_chosen_by_name_and_an_unknown_one_is_told_with_those_there_are() -> None:
    assert chosen("idle, first") == ["idle", "first"]
    assert set(chosen("")) == set(ALL) - set(BESIDE)
    with pytest.raises(ValueError, match="no row idel; there are idle, first"):
        chosen("idel")


def test_a_mailbox_left_out_at_a_tick_is_as_late_as_its_next_poll() -> None:
    polls = {"in time": [60.5, 121.0], "left out once": [61.0, 190.0], "never again": [60.0]}
    late = lateness(polls, [60.0, 120.0], 200.0)
    assert late == [0.0, 0.5, 1.0, 1.0, 70.0, 80.0]


def test_an_environment_lacks_what_is_not_installed_in_the_version_locked() -> None:
    lock = (
        "pytest==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1\n# a remark\n"
        'not-for-us==2 ; python_version < "3"\n'
    )
    old, none = missing(lock)
    assert old.startswith("pytest==0.0.1 (installed: ")
    assert none == "no-such-package==1 (not installed)"
    assert missing(f"pytest=={pytest.__version__}") == []
    assert missing(lock, {"no-such-package"}) == [none]


def _exchanged(operation: str, answered: str) -> Exchanged:
    head = b"POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: there\r\n\r\n"
    return Exchanged(head + operation.encode(), answered.encode())


def _get_item(*ids: str) -> str:
    listed = "".join(f'<t:ItemId Id="{each}"/>' for each in ids)
    shape = "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"
    return f"<m:GetItem>{shape}<m:ItemIds>{listed}</m:ItemIds></m:GetItem>"


def _items(*texts: str) -> str:
    message = "<m:GetItemResponseMessage><i>{}</i></m:GetItemResponseMessage>"
    return f"<all>{''.join(map(message.format, texts))}</all>"


def _sync(mailbox: str, state: str) -> str:
    return (
        f"<t:PrimarySmtpAddress>{mailbox}</t:PrimarySmtpAddress>"
        f"<m:SyncFolderItems><m:SyncState>{state}</m:SyncState></m:SyncFolderItems>"
    )


def test_the_canned_exchange_puts_recorded_items_together_as_they_are_asked_for() -> None:
    passed = [
        _exchanged("<m:GetFolder/>", "<folder/>"),
        _exchanged(_sync("a@example.com", ""), "<m:SyncState>one</m:SyncState>"),
        _exchanged(_get_item("x", "y"), _items("X", "Y")),
        _exchanged(_get_item("z"), _items("Z")),
    ]
    idle = _exchanged(_sync("b@example.com", ""), "<m:SyncState>s</m:SyncState>")
    exchange = CannedExchange(answers_of(passed, idle))

    def asked(body: str) -> str:
        return exchange.answer(body.encode()).partition(b"\r\n\r\n")[2].decode()

    assert asked(_get_item("z", "x")) == _items("Z", "X")
    assert asked("<m:GetFolder/>") == "<folder/>"
    assert asked(_sync("full1@example.com", "")) == "<m:SyncState>one</m:SyncState>"
    again = asked(_sync("full1@example.com", "one"))
    assert again == asked(_sync("idle1@example.com", ""))
    assert list(exchange.seen()["polls"]) == ["idle1@example.com"]
    assert (exchange.requests, exchange.read) == (5, {"full1@example.com"})


class _Handler(BaseHTTPRequestHandler):
    """Answers with what it was sent, twice; on request in two chunks."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write((b"%x\r\n%b\r\n" % (len(body), body)) * 2 + b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(2 * len(body)))
            self.end_headers()
            self.wfile.write(body * 2)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def _echo() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/EWS"
        finally:
            server.shutdown()
            thread.join()


def test_a_recording_passes_on_and_keeps_what_was_asked_and_answered() -> None:
    with _echo() as url, recording(url) as (address, passed):
        assert urlsplit(address).path == "/EWS"
        connection = HTTPConnection(urlsplit(address).netloc)
        for path, body in (("/plain", b"one\r\n\r\ntwo"), ("/chunked", b"three")):
            connection.request("POST", path, body, {"X-Own": "header"})
            assert connection.getresponse().read() == body * 2
        connection.close()
    assert [(each.body, each.answer) for each in passed] == [
        (b"one\r\n\r\ntwo", b"one\r\n\r\ntwo" * 2),
        (b"three", b"threethree"),
    ]
    assert passed[0].request.startswith(b"POST /plain HTTP/1.1\r\n")
    assert b"\r\nX-Own: header\r\n" in passed[0].request
