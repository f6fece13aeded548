"""`keepstep skip preview`: what conditions would leave out, told before they are saved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from keepstep_simulator import Fault, SimulatorThread
from tests.system.product import Keepstep

ANNA, BEN = "anna@example.com", "ben@example.com"


def fill(exchange: SimulatorThread) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    for email in (ANNA, BEN):
        mailbox = exchange.simulator.add_mailbox(email)
        for number in range(4):
            start = begin + number * timedelta(hours=3)
            mailbox.create(
                start=start,
                end=start + timedelta(hours=1),
                subject=f"Meeting {number}",
                show_as="free" if number == 0 else "busy",
                sensitivity="private" if number == 1 else "normal",
            )


def test_a_preview_changes_nothing_and_saving_does_what_it_told(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    fill(exchange)
    keepstep.import_operators(f"{ANNA},UTC,", f"{BEN},UTC,")
    keepstep.sync()
    values = ("skip_show_as=free", "skip_subject_contains=meeting 2")
    told = keepstep.do("skip", "preview", *values, "--operator", ANNA, "--json").json
    assert told["stored"]["conditions"] == {"skip-show-as": 1, "skip-subject": 1}
    assert [each["subject"] for each in told["stored"]["entries"]] == ["Meeting 0", "Meeting 2"]
    assert [each["subject"] for each in told["dry_round"]["goes"]] == ["Meeting 0", "Meeting 2"]
    assert (told["dry_round"]["comes_in"], told["failures"]) == ([], [])
    assert keepstep.do("skip", "preview", *values, "--json").json["stored"]["operators"] == 2
    assert len(keepstep.appointments(ANNA)) == 4

    saved = keepstep.do("settings", "set", *values)
    assert "4 stored appointments were taken out of the calendars" in saved.output
    assert [each["subject"] for each in keepstep.appointments(BEN)] == [
        "Private appointment",
        "Meeting 3",
    ]
    loose = ("skip_show_as=", "skip_subject_contains=")
    told = keepstep.do("skip", "preview", *loose, "--operator", BEN).output
    assert "2 would come in, 0 would go" in told
    assert "Private" not in told
    keepstep.do("settings", "set", *loose)
    assert keepstep.sync()["created"] == 4
    assert len(keepstep.appointments(BEN)) == 4


def test_what_a_condition_left_out_is_explained_by_its_name(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    fill(exchange)
    keepstep.import_operators(f"{ANNA},UTC,")
    keepstep.set(skip_show_as="free")
    keepstep.sync()
    mailbox = exchange.simulator.find_mailbox(ANNA)
    (uid,) = {each.uid for each in mailbox.items() if each.show_as == "free"}
    told = keepstep.do("explain", "--operator", ANNA, uid).output
    assert "Left out by the condition skip_show_as" in told


def test_a_mailbox_that_can_not_be_read_fails_the_preview_with_its_remedy(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    fill(exchange)
    keepstep.import_operators(f"{ANNA},UTC,")
    exchange.simulator.faults.add(Fault("http", times=None, status=401))
    ended = keepstep.run("skip", "preview", "skip_declined=on", "--operator", ANNA)
    assert ended.status == 1
    assert ended.output.startswith("Of what is stored 0 appointments")
    assert f"{ANNA}: sign-in-refused:" in ended.errors
    refused = keepstep.run("skip", "preview", "batch_size=3")
    assert (refused.status, refused.output) == (2, "")
