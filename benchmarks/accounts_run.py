"""A child: the memory of exchangelib's Account objects, ready to be polled."""

from __future__ import annotations

from pathlib import Path

from exchangelib import Account

from benchmarks.exchangelib_run import account_of, configuration_of, idle_round
from benchmarks.harness import answer, given


def main() -> None:
    """Give the bytes that each account adds to what this process has resident."""
    asked = given()
    configuration = configuration_of(asked["url"])
    first, *others = asked["emails"]
    kept: list[Account] = [_ready(account_of(first, configuration))]
    before = _resident()
    kept += [_ready(account_of(email, configuration)) for email in others]
    answer({"bytes": (_resident() - before) / len(others)})


def _ready(account: Account) -> Account:
    assert idle_round(account) == 0  # the first round of an empty mailbox: it gives the state
    return account


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


if __name__ == "__main__":
    main()
