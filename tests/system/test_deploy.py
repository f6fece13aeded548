"""What is in deploy/: every command, variable, secret and user in it is one that there is."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from keepstep import environment
from keepstep.cli import keepstep as program
from keepstep.store import settings as store_settings
from keepstep_simulator import SimulatorThread
from tests.system.product import COMMAND, Keepstep, terminate, wait_for

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OF_KEEPSTEP = ("migrate", "web", "worker")
# What the product promises to end within, and what is left over before it would be killed.
LONGEST_END = 30
INSTALLED = "/opt/keepstep/bin/keepstep"
# systemd's own figure, in tenths: "OK" begins below 4.0.
MOST_EXPOSED = 20
WORDS_OF_REGISTRIES = ("pypi", "npmjs", "docker.io", "quay.io", "ghcr.io", "://registry")

Unit = dict[str, list[tuple[str, str]]]


def is_known(words: list[str]) -> bool:
    """Say whether the command line has such a command, with such options."""
    name, *rest = words
    command = program.get_command(click.Context(program), name)
    assert command is not None, f"keepstep has no command {name}"
    command.make_context(name, rest)
    return True


def variables_read() -> set[str]:
    """Give the names of all variables that the product reads, those of OpenTelemetry apart."""
    found: set[str] = set()
    for module in (environment, store_settings):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"KEEPSTEP_[A-Z_]+", node.value))
    secret = {"KEEPSTEP_SECRET_KEY", "KEEPSTEP_DATABASE_PASSWORD", "KEEPSTEP_DATABASE_URL"}
    assert secret <= found
    return found | {f"{name}_FILE" for name in found}


def is_read(variable: str) -> bool:
    return variable in variables_read() or variable.startswith("OTEL_")


# The units of systemd


def unit(path: Path) -> Unit:
    """Read a unit: of each section the settings in their order."""
    sections: Unit = {}
    settings: list[tuple[str, str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            settings = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            settings.append((name, value))
    return sections


def values(path: Path, name: str, section: str = "Service") -> list[str]:
    return [value for key, value in unit(path)[section] if key == name]


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        raise AssertionError(
            "The units can't be judged without systemd-analyze: install it"
            " (Debian: apt-get install systemd)."
        )
    return subprocess.run(
        [analyze, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def units_here(tmp_path: Path) -> list[Path]:
    """The units, all in one folder, as if Keepstep were installed where these tests run."""
    copies = []
    for each in UNITS:
        copy = tmp_path / each.name
        copy.write_text(each.read_text(encoding="utf-8").replace(INSTALLED, str(COMMAND)))
        copies.append(copy)
    return copies


def test_systemd_understands_each_unit(units_here: list[Path]) -> None:
    judged = systemd_analyze("verify", "--man=no", *map(str, units_here))
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")


def test_systemd_judges_each_unit_as_little_exposed(units_here: list[Path]) -> None:
    for each in units_here:
        judged = systemd_analyze(
            "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(each)
        )
        assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize("path", UNITS, ids=lambda each: each.name)
def test_a_unit_starts_a_command_with_variables_that_are_read(path: Path) -> None:
    (started,) = values(path, "ExecStart")
    words = shlex.split(started)
    assert words[0] == INSTALLED
    assert is_known(words[1:])
    given = dict(each.split("=", 1) for each in values(path, "Environment"))
    assert all(map(is_read, given)), given
    credentials = {each.split(":")[0] for each in values(path, "LoadCredential")}
    assert {value for name, value in given.items() if name.endswith("_FILE")} == {
        f"%d/{each}" for each in credentials
    }


def test_the_units_differ_only_in_what_they_start_and_how_they_end() -> None:
    apart = {"Type", "ExecStart", "TimeoutStartSec", "TimeoutStopSec", "KillMode"}
    apart |= {"Restart", "RestartSec"}
    common = [
        [setting for setting in unit(each)["Service"] if setting[0] not in apart] for each in UNITS
    ]
    assert len(UNITS) == 3
    assert all(each == common[0] for each in common)


def test_what_runs_is_given_time_to_end_and_is_started_again() -> None:
    for each in UNITS:
        if values(each, "Type") != ["oneshot"]:
            (seconds,) = values(each, "TimeoutStopSec")
            assert int(seconds) > LONGEST_END
            assert values(each, "Restart") == ["on-failure"]
            assert "keepstep-migrate.service" in values(each, "Requires", "Unit")


def test_the_file_of_variables_holds_those_that_are_read_and_no_secret() -> None:
    lines = (DEPLOY / "systemd" / "keepstep.env").read_text(encoding="utf-8").splitlines()
    given = dict(line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?[A-Z_]+=", line))
    assert "KEEPSTEP_DATABASE_URL" in given
    assert all(map(is_read, given)), given
    assert environment._postgresql(given["KEEPSTEP_DATABASE_URL"])["PASSWORD"] == ""


# Compose


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    read = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(read, dict)
    return read


@pytest.mark.parametrize("name", OF_KEEPSTEP)
def test_a_service_runs_a_command_with_variables_that_are_read(
    composed: dict[str, Any], name: str
) -> None:
    service = composed["services"][name]
    assert is_known(service["command"])
    given = service["environment"]
    assert all(map(is_read, given)), given
    files = {value for key, value in given.items() if key.endswith("_FILE")}
    assert files == {f"/run/secrets/{each}" for each in service["secrets"]}
    context = DEPLOY / service["build"]["context"]
    assert context.resolve() == ROOT
    assert (context / service["build"]["dockerfile"]).is_file()


def test_what_a_service_names_is_there(composed: dict[str, Any]) -> None:
    services = composed["services"]
    assert set(services) == {"database", *OF_KEEPSTEP}
    for service in services.values():
        assert set(service.get("secrets", [])) <= set(composed["secrets"])
        assert {each.split(":")[0] for each in service["volumes"]} <= set(composed["volumes"])
        assert set(service.get("depends_on", {})) <= set(services)


def test_the_processes_wait_for_the_database_and_are_given_time_to_end(
    composed: dict[str, Any],
) -> None:
    services = composed["services"]
    for name in ("web", "worker"):
        assert services[name]["depends_on"] == {
            "database": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }
        assert services[name]["restart"] == "unless-stopped"
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > LONGEST_END
        assert services[name]["read_only"] is True
    assert services["migrate"]["restart"] == "no"
    assert services["worker"]["deploy"]["replicas"] == 2
    assert services["database"]["image"] == "postgres:17"
    assert services["database"]["healthcheck"]["test"][1] == "pg_isready"


def test_the_database_is_that_of_the_address(composed: dict[str, Any]) -> None:
    database = composed["services"]["database"]["environment"]
    for name in OF_KEEPSTEP:
        given = composed["services"][name]["environment"]
        described = environment._postgresql(given["KEEPSTEP_DATABASE_URL"])
        assert described["HOST"] == "database"
        assert described["NAME"] == database["POSTGRES_DB"]
        assert described["USER"] == database["POSTGRES_USER"]
        assert given["KEEPSTEP_DATABASE_PASSWORD_FILE"] == database["POSTGRES_PASSWORD_FILE"]


# The image


def instructions() -> list[tuple[str, str]]:
    """Give the instructions of the Containerfile, each with all that follows it."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    whole = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines)).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in whole)]


def of_image(name: str) -> str:
    """Give the last instruction of this name, which is the one that holds."""
    return [rest for each, rest in instructions() if each == name][-1]


def test_the_image_starts_a_command_as_somebody_who_may_little() -> None:
    assert json.loads(of_image("ENTRYPOINT")) == ["keepstep"]
    assert is_known(json.loads(of_image("CMD")))
    assert of_image("USER") == "10001:10001"
    assert of_image("STOPSIGNAL") == "SIGTERM"
    given = dict(each.split("=", 1) for each in shlex.split(of_image("ENV")))
    assert given["KEEPSTEP_HOME"] == of_image("VOLUME")
    assert {name for name in given if name.startswith("KEEPSTEP")} <= variables_read()


def test_the_image_installs_only_what_the_lists_have_hashes_of() -> None:
    installs = [
        step.strip()
        for name, rest in instructions()
        if name == "RUN"
        for step in rest.split("&&")
        if " install " in step and "pip" in step
    ]
    assert len(installs) == 3
    for step in installs:
        assert "--require-hashes" in step or "--no-index" in step, step
    offered = ("product", "otel", "run")
    assert all((ROOT / "requirements" / f"{each}.txt").is_file() for each in offered)
    assert "REQUIREMENTS=product" in [rest for name, rest in instructions() if name == "ARG"]


def test_the_lists_of_requirements_have_the_same_versions() -> None:
    def pinned(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        return set(re.findall(r"^(\S+==\S+)", text, re.MULTILINE))

    assert pinned("product") < pinned("run") < pinned("dev")
    assert pinned("product") < pinned("otel") < pinned("dev")


def test_what_the_image_is_made_from_is_let_in() -> None:
    listed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in listed if line.startswith("!")}
    assert {line for line in listed if line == "*"} == {"*"}
    build = ["hatch_build.py", "package-lock.json", "package.json", "pyproject.toml", "src"]
    assert {*build, "requirements", "licenses", "LICENSE", "README.md", ".npmrc"} == let_in
    assert all((ROOT / each).exists() for each in let_in)


def test_the_health_check_of_the_image_tells_a_server_from_none(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    command = json.loads(of_image("HEALTHCHECK").partition("CMD ")[2])
    with keepstep.serving() as serve:
        bound = serve.args[-1] if isinstance(serve.args, list) else ""
        checked = [sys.executable, "-c", command[2].replace("127.0.0.1:8000", str(bound))]
        assert checked[2] != command[2]
        wait_for(lambda: is_well(checked), "the server to be well")
        assert terminate(serve, LONGEST_END) == 0
    assert not is_well(checked)


def is_well(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def test_no_file_names_a_registry() -> None:
    files = [each for each in DEPLOY.rglob("*") if each.is_file()]
    files += [ROOT / ".dockerignore", *(ROOT / "requirements").glob("*.txt")]
    for each in files:
        text = each.read_text(encoding="utf-8").lower()
        found = [word for word in WORDS_OF_REGISTRIES if word in text]
        assert found == [], each
