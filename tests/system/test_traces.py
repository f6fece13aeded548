"""Traces: what arrives at a collector of the runs, and that nothing else depends on it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from keepstep.core.failures import FAILURES
from keepstep_simulator import Fault, SimulatorThread
from tests.database import server
from tests.system.collector import Collector, Seen, collecting
from tests.system.machines import web_server
from tests.system.product import Keepstep, terminate, wait_for

EMAILS = ["anna.berg@example.com", "ben.tal@example.com"]
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
JOB = "CalendarSynchronization"
SECRETS = ("Visit to the moon", "Sea of Tranquility", "Bring a lamp")
END_WITHIN = 15
# What is left out where somebody installs the product without the extra.
_OF_THE_EXTRA = ("opentelemetry", "googleapis_common_protos")


class OnPostgresql(Keepstep):
    """An installation on a PostgreSQL database of its own, made anew."""

    def __init__(self, home: Path, database: str) -> None:
        super().__init__(home)
        home.mkdir()
        name = f"{database}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
        with psycopg.connect(server(), autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
            admin.execute(f'CREATE DATABASE "{name}"')
        self._address = urlsplit(server())._replace(path=f"/{name}").geturl()

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"KEEPSTEP_DATABASE_URL": self._address}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector, which the product is told of."""
    with collecting() as started:
        monkeypatch.setenv(ENDPOINT, started.url)
        yield started


@pytest.fixture
def office(keepstep: Keepstep, exchange: SimulatorThread) -> Keepstep:
    """An installation with two operators, each with an appointment ahead."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    subject, place, body = SECRETS
    for email in EMAILS:
        mailbox = exchange.simulator.add_mailbox(email)
        end = start + timedelta(hours=1)
        mailbox.create(start=start, end=end, subject=subject, location=place, body=body)
    keepstep.import_operators(*(f"{email},Europe/Berlin," for email in EMAILS))
    return keepstep


def logged(keepstep: Keepstep) -> list[str]:
    """The codes in the log, in order."""
    lines = (keepstep.home / "logs" / "keepstep.log").read_text().splitlines()
    return [line["code"] for line in map(json.loads, lines) if "code" in line]


def children(spans: list[Seen], parent: Seen) -> list[Seen]:
    return [each for each in spans if each.parent == parent.id]


def test_a_run_holds_a_round_for_each_mailbox_and_a_round_its_requests(
    office: Keepstep, collector: Collector
) -> None:
    office.sync()
    spans = collector.spans
    (run,) = collector.named("keepstep.run")
    assert run.parent == ""
    assert {each.trace for each in spans} == {run.trace}
    told = run.attributes
    assert (told["keepstep.job"], told["keepstep.trigger"]) == (JOB, "command")
    assert (told["keepstep.mailboxes"], told["keepstep.created"]) == (2, 2)
    assert told["keepstep.requests"] == len([each for each in spans if "POST" in each.name])
    rounds = children(spans, run)
    assert [each.name for each in rounds] == ["keepstep.round"] * 2
    assert len({each.attributes["keepstep.mailbox"] for each in rounds}) == 2
    for each in rounds:
        assert each.attributes["keepstep.outcome"] == "in-step"
        assert (each.attributes["keepstep.created"], each.attributes["keepstep.pages"]) == (1, 1)
        asked = [request.name for request in children(spans, each)]
        assert asked == ["POST GetFolder", "POST SyncFolderItems", "POST GetItem"]


def test_a_request_has_the_names_of_the_conventions(
    office: Keepstep, exchange: SimulatorThread, collector: Collector
) -> None:
    office.sync()
    request = collector.named("POST SyncFolderItems")[0]
    assert request.kind == Span.SPAN_KIND_CLIENT
    assert 0 < request.milliseconds < 60_000
    told = dict(request.attributes)
    assert told.pop("http.response.body.size") != 0
    assert told == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "keepstep.exchange.operation": "SyncFolderItems",
        "server.address": "127.0.0.1",
        "server.port": int(exchange.url.split(":")[2].split("/")[0]),
        "url.scheme": "http",
        "url.path": "/EWS/Exchange.asmx",
    }
    assert request.resource["service.name"] == "keepstep"
    assert request.resource["keepstep.command"] == "sync"


def test_no_trace_holds_a_person_a_text_or_a_secret(
    office: Keepstep, exchange: SimulatorThread, collector: Collector
) -> None:
    """Also not of a round that fails: what the server says then could name anybody."""
    office.sync()
    exchange.simulator.faults.add(
        Fault("soap-fault", times=None, code="ErrorAccessDenied", text=EMAILS[0])
    )
    office.run("sync")
    user, password = exchange.simulator.username, exchange.simulator.password
    signed_in = base64.b64encode(f"{user}:{password}".encode()).decode()
    sent = b"".join(collector.bodies)
    assert b"keepstep.round" in sent
    for text in (*EMAILS, *SECRETS, "anna", password, signed_in, "Authorization"):
        assert text.encode().lower() not in sent.lower(), text
    assert "@" not in str(collector.spans)


def test_a_failed_round_has_the_code_of_its_failure_and_its_request_the_status(
    office: Keepstep, exchange: SimulatorThread, collector: Collector
) -> None:
    exchange.simulator.password = "changed"
    office.run("sync")
    refused = collector.named("keepstep.round")[0]
    assert refused.failed
    assert refused.attributes["error.type"] == "sign-in-refused"
    assert refused.attributes["keepstep.outcome"] == "sign-in-refused"
    request = next(each for each in collector.spans if each.name.startswith("POST"))
    assert request.failed
    assert request.attributes["http.response.status_code"] == 401
    assert request.attributes["error.type"] == "401"


def test_the_standard_variables_name_the_service_and_switch_it_off(
    office: Keepstep, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "calendars-north")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    office.sync()
    resource = collector.spans[0].resource
    assert resource["service.name"] == "calendars-north"
    assert resource["deployment.environment.name"] == "test"
    calls = collector.calls
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    office.sync()
    monkeypatch.delenv("OTEL_SDK_DISABLED")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    office.sync()
    assert collector.calls == calls


def test_serve_sends_while_it_runs_and_the_last_spans_when_it_ends(
    office: Keepstep, collector: Collector
) -> None:
    office.do("jobs", "enable", JOB)
    with office.serving() as serve:
        wait_for(lambda: bool(collector.named("keepstep.run")), "a run to be sent")
        office.do("jobs", "run", JOB)
        assert terminate(serve, END_WITHIN) == 0
    commands = {each.resource["keepstep.command"] for each in collector.spans}
    assert commands == {"serve", "run"}
    triggers = {each.attributes["keepstep.trigger"] for each in collector.named("keepstep.run")}
    assert triggers >= {"schedule", "command"}


def test_in_a_fleet_a_shard_holds_the_rounds_of_its_mailboxes(
    tmp_path: Path, exchange: SimulatorThread, collector: Collector
) -> None:
    fleet = OnPostgresql(tmp_path / "home", "keepstep_traces")
    fleet.do("migrate")
    fleet.set(
        calendar_integration="on",
        exchange_url=exchange.url,
        exchange_version="Exchange2013",
        username=exchange.simulator.username,
        password=exchange.simulator.password,
    )
    for email in EMAILS:
        exchange.simulator.add_mailbox(email)
    fleet.import_operators(*(f"{email},Europe/Berlin," for email in EMAILS))
    fleet.do("jobs", "enable", JOB)
    with fleet.serving() as serve:
        wait_for(lambda: len(collector.named("keepstep.round")) >= len(EMAILS), "the rounds")
        wait_for(lambda: bool(collector.named("keepstep.shard")), "a shard to be sent")
        assert terminate(serve, END_WITHIN) == 0
    shards = collector.named("keepstep.shard")
    rounds = collector.named("keepstep.round")
    assert {each.parent for each in rounds} <= {each.id for each in shards}
    for shard in shards:
        assert shard.attributes["keepstep.job"] == JOB
        assert isinstance(shard.attributes["keepstep.shard"], int)
        assert shard.attributes["keepstep.mailboxes"] == len(children(rounds, shard))


def test_a_collector_that_refuses_is_told_of_once_and_disturbs_nothing(
    office: Keepstep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    with web_server(404, "no such page") as address:
        monkeypatch.setenv(ENDPOINT, address)
        ended = office.do("sync", "--json")
    assert (ended.json["succeeded"], ended.errors) == (2, "")
    assert logged(office).count("traces-not-sent") == 1


def test_a_collector_that_is_not_there_disturbs_nothing(
    office: Keepstep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that nothing listens at, nor a variable that no library can read."""
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    begun = time.monotonic()
    assert office.sync()["succeeded"] == 2
    assert time.monotonic() - begun < END_WITHIN
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    ended = office.do("sync", "--json")
    assert ended.json["succeeded"] == 2
    assert FAILURES["traces-not-sent"].remedy in ended.errors


def test_without_an_endpoint_nothing_is_imported_for_traces(office: Keepstep) -> None:
    program = (
        "import sys; from keepstep.cli import main; main(['sync', '--json']);"
        "print([each for each in sys.modules if each.startswith(('opentel', 'keepstep.traces'))])"
    )
    told = _python(Path(sys.executable), office, program)
    assert told.stdout.splitlines()[-1] == "[]"


def test_without_the_extra_one_line_says_so_and_all_works(
    office: Keepstep, exchange: SimulatorThread, collector: Collector, tmp_path: Path
) -> None:
    """In an environment that has all that is installed here but the packages of the extra."""
    python = _environment_without_the_extra(tmp_path / "lean")
    told = _python(python, office, "from keepstep.cli import main; main(['sync', '--json'])")
    assert json.loads(told.stdout)["succeeded"] == len(EMAILS)
    failure = FAILURES["traces-extra-missing"]
    assert told.stderr == f"keepstep: {failure.message} {failure.remedy}\n"
    assert logged(office).count("traces-extra-missing") == 1
    assert collector.calls == 0


def _environment_without_the_extra(folder: Path) -> Path:
    venv.create(folder, with_pip=False, symlinks=True)
    lean = next(folder.glob("lib/*/site-packages"))
    import aiohttp

    for each in Path(aiohttp.__file__).parents[1].iterdir():
        if not each.name.startswith(_OF_THE_EXTRA):
            (lean / each.name).symlink_to(each)
    return folder / "bin" / "python"


def _python(python: Path, keepstep: Keepstep, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-c", program],
        env=keepstep.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
