"""`keepstep createadmin` and `keepstep people`: who may sign in, from the shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.system.product import COMMAND, LONGEST_COMMAND, Ended, Keepstep

ADMINISTRATOR = "admin@example.com"
ANNA = "anna@example.com"


@pytest.fixture
def product(tmp_path: Path) -> Keepstep:
    """An empty home: whichever command comes first sets it up."""
    home = tmp_path / "home"
    home.mkdir()
    return Keepstep(home)


def with_input(product: Keepstep, text: str, *arguments: str) -> Ended:
    done = subprocess.run(
        [COMMAND, *arguments],
        env=product.environment,
        input=text,
        text=True,
        capture_output=True,
        timeout=LONGEST_COMMAND,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def people(product: Keepstep) -> dict[str, tuple[str, str]]:
    """Role and state by address."""
    found = product.do("people", "list", "--json").json
    return {each["email"]: (each["role"], each["state"]) for each in found}


def refused(ended: Ended) -> str:
    """The one line of a command that was refused."""
    assert (ended.status, ended.output, ended.errors.count("\n")) == (2, "", 1), ended
    return ended.errors


def test_the_first_administrator_gets_an_address_or_a_password(product: Keepstep) -> None:
    made = product.do("createadmin", "--email", ADMINISTRATOR)
    assert made.output.splitlines()[-1].startswith("http://127.0.0.1:8000/invitation/")
    secret = "a long pass phrase of nobody"
    second = with_input(
        product, secret, "createadmin", "--email", "b@example.com", "--password-stdin"
    )
    assert (second.status, second.output) == (0, "b@example.com is an administrator.\n")
    assert people(product) == {
        ADMINISTRATOR: ("administrator", "invited"),
        "b@example.com": ("administrator", "active"),
    }
    assert secret not in product.do("audit").output


def test_bad_input_is_refused_in_one_line(product: Keepstep) -> None:
    assert "e-mail address" in refused(product.run("createadmin", "--email", "nonsense"))
    assert "--email" in refused(product.run("createadmin"))
    short = with_input(
        product, "short", "createadmin", "--email", ADMINISTRATOR, "--password-stdin"
    )
    assert "too short" in refused(short)
    product.do("createadmin", "--email", ADMINISTRATOR)
    again = product.run("createadmin", "--email", ADMINISTRATOR.upper())
    assert "has an account already" in refused(again)
    assert "last administrator" in refused(product.run("people", "disable", ADMINISTRATOR))
    assert "no operator" in refused(product.run("people", "invite", ANNA))
    assert "give e-mail addresses, or --group" in refused(product.run("people", "invite"))
    assert "no mail server" in refused(
        product.run("people", "invite", "a@example.com", "--role", "auditor", "--send")
    )
    assert "nobody signs in as" in refused(product.run("people", "link", ANNA))
    assert people(product) == {ADMINISTRATOR: ("administrator", "invited")}


def test_people_are_invited_changed_switched_off_and_deleted(product: Keepstep) -> None:
    product.do("createadmin", "--email", ADMINISTRATOR)
    product.set(site_url="https://keepstep.example.com")
    for name in ("anna", "ben"):
        product.do("operators", "add", f"{name}@example.com", "access_group=West")
    one = product.do("people", "invite", ANNA).output.splitlines()
    assert one[-1].startswith("https://keepstep.example.com/invitation/")
    product.do("people", "invite", "--group", "West")
    product.do("people", "role", ANNA, "auditor")
    product.do("people", "disable", "ben@example.com")
    assert people(product) == {
        ADMINISTRATOR: ("administrator", "invited"),
        ANNA: ("auditor", "invited"),
        "ben@example.com": ("operator", "off"),
    }
    assert "switched off" in refused(product.run("people", "link", "ben@example.com"))
    product.do("people", "enable", "ben@example.com")
    sign_in = product.do("people", "link", "ben@example.com", "--sign-in").output
    assert "/enter/" in sign_in
    product.do("people", "delete", "ben@example.com")
    assert set(people(product)) == {ADMINISTRATOR, ANNA}
    assert "ben@example.com" in product.operators()
