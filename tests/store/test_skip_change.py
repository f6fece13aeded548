"""Changed conditions take hold in what is stored: at once, with history, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from keepstep.core.appointment import (
    Appointment,
    ChangedOccurrence,
    Details,
    Response,
    Sensitivity,
    ShowAs,
)
from keepstep.core.errors import FenceLost, UsageError
from keepstep.core.rules import Rule
from keepstep.core.skip import Conditions, Policy
from keepstep.store import mailboxes, models, settings
from keepstep.store.explain import explain
from tests.engine import NOW, add_operator
from tests.store.worker import DAY, HOUR, Worker, history, meeting, series, states

pytestmark = pytest.mark.usefixtures("any_database")
ONE_OF_EACH: list[tuple[str, str, dict[str, Any], dict[str, Any], Rule]] = [
    ("skip_categories", "travel", {"categories": ("Travel", "Other")}, {}, Rule.SKIP_CATEGORY),
    ("skip_show_as", "Out of Office;free", {"show_as": ShowAs.FREE}, {}, Rule.SKIP_SHOW_AS),
    (
        "skip_sensitivities",
        "confidential",
        {"sensitivity": Sensitivity.CONFIDENTIAL},
        {},
        Rule.SKIP_SENSITIVITY,
    ),
    ("skip_declined", "on", {"response": Response.DECLINED}, {}, Rule.SKIP_DECLINED),
    ("skip_all_day", "on", {}, {"all_day": True}, Rule.SKIP_ALL_DAY),
    ("skip_subject_contains", "LUNCH", {"subject": "Team lunch"}, {}, Rule.SKIP_SUBJECT),
]


@pytest.fixture
def mailbox() -> int:
    return add_operator("anna@example.com")


def special(item_id: str, days: int, details: dict[str, Any], **fields: Any) -> Appointment:
    plain = meeting(item_id, days, **fields)
    return replace(plain, details=replace(plain.details, **details))


def told(uid: str) -> tuple[str, list[tuple[str, str]]]:
    found = explain(models.Operator.objects.get(), uid)
    return found.state, [(each.what, each.rule) for each in found.changes]


@pytest.mark.parametrize(("name", "value", "details", "fields", "rule"), ONE_OF_EACH)
def test_what_meets_a_new_condition_goes_at_once_and_explain_names_the_condition(
    mailbox: int, name: str, value: str, details: dict[str, Any], fields: dict[str, Any], rule: Rule
) -> None:
    Worker(mailbox).bring(special("x", 1, details, **fields), meeting("y"))
    (note,) = settings.change({name: value})
    assert note == (
        "IsSkipAppointment: 1 stored appointments were taken out of the calendars,"
        " 0 mailboxes are read whole at their next round."
    )
    assert states() == {"x": "removed", "y": "live"}
    assert told("uid of x") == (
        "removed",
        [("created", Rule.ENDS_AFTER_BOUNDARY), ("removed", rule)],
    )


@pytest.mark.parametrize(("name", "value", "details", "fields", "rule"), ONE_OF_EACH)
def test_what_meets_a_condition_when_it_is_read_stays_out_and_explain_names_the_condition(
    mailbox: int, name: str, value: str, details: dict[str, Any], fields: dict[str, Any], rule: Rule
) -> None:
    settings.change({name: value})
    Worker(mailbox, settings.load().policy).bring(special("x", 1, details, **fields), meeting("y"))
    assert states() == {"y": "live"}
    assert told("uid of x") == ("not-in-calendar", [("skipped", rule)])


def test_what_comes_to_meet_a_condition_goes_and_comes_back_when_it_no_longer_does(
    mailbox: int,
) -> None:
    worker = Worker(mailbox, Policy(conditions=Conditions(show_as=(ShowAs.FREE,))))
    worker.bring(special("x", 1, {}))
    worker.bring(special("x", 1, {"show_as": ShowAs.FREE}, change_key="2"))
    assert states() == {"x": "removed"}
    worker.bring(special("x", 1, {"show_as": ShowAs.BUSY}, change_key="3"))
    assert states() == {"x": "live"}
    assert history() == [("x", "created"), ("x", "removed"), ("x", "revived")]
    assert not models.LeftOut.objects.exists()


def test_what_was_over_when_the_conditions_change_stands(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.bring(special("past", -1, {"show_as": ShowAs.FREE}), meeting("y"))
    settings.change({"skip_show_as": "free"})
    assert states() == {"past": "live", "y": "live"}


def test_of_a_series_the_past_stands_and_what_is_ahead_goes(mailbox: int) -> None:
    Worker(mailbox).bring(series("s", -3, 10, details=Details(subject="Standup")))
    settings.change({"skip_subject_contains": "standup"})
    (row,) = models.Appointment.objects.all()
    assert (row.state, row.part) == ("record", 1)
    assert row.span_end == NOW
    assert told("uid of s")[1][-1] == ("removed", Rule.SKIP_SUBJECT)


def test_a_series_is_judged_by_its_master_and_not_by_a_changed_occurrence(mailbox: int) -> None:
    start = NOW + 2 * DAY
    lunch = ChangedOccurrence(start, start, start + HOUR, "o", details=Details(subject="Lunch"))
    worker = Worker(mailbox, Policy(conditions=Conditions(subject_contains=("lunch",))))
    worker.bring(series("s", 1, 5, details=Details(subject="Standup"), changed=(lunch,)))
    assert states() == {"s": "live"}
    settings.change({"skip_subject_contains": "lunch"})
    assert states() == {"s": "live"}
    settings.change({"skip_subject_contains": "standup"})
    assert states() == {"s": "removed"}


def test_only_the_mailboxes_from_which_a_looser_condition_left_something_out_are_read_whole(
    mailbox: int,
) -> None:
    ben = add_operator("ben@example.com")
    cleo = add_operator("cleo@example.com")
    settings.change({"skip_show_as": "free", "skip_all_day": "on"})
    policy = settings.load().policy
    Worker(mailbox, policy).bring(special("x", 1, {"show_as": ShowAs.FREE}))
    Worker(ben, policy).bring(special("z", 1, {}, all_day=True))
    Worker(cleo, policy).bring(meeting("y"))
    (note,) = settings.change({"skip_show_as": "tentative"})
    assert "0 stored appointments" in note
    assert "1 mailboxes are read whole" in note
    wanted = models.Mailbox.objects.filter(full_round_wanted=True)
    assert [each.pk for each in wanted] == [mailbox]
    assert [each.item_id for each in models.LeftOut.objects.all()] == ["z"]


def test_what_a_condition_took_out_is_known_so_as_to_be_read_again_when_it_is_dropped(
    mailbox: int,
) -> None:
    Worker(mailbox).bring(special("x", 1, {"show_as": ShowAs.FREE}))
    settings.change({"skip_show_as": "free"})
    left_out = models.LeftOut.objects.get()
    assert (left_out.item_id, left_out.change_key, left_out.rule) == ("x", "1", "skip-show-as")
    settings.change({"skip_show_as": ""})
    assert models.Mailbox.objects.get().full_round_wanted
    assert not models.LeftOut.objects.exists()


def test_a_round_under_way_stores_nothing_more_by_the_conditions_of_before(mailbox: int) -> None:
    worker = Worker(mailbox)
    settings.change({"skip_show_as": "free"})
    with pytest.raises(FenceLost):
        worker.bring(special("x", 1, {"show_as": ShowAs.FREE}))
    assert states() == {}


def test_settings_that_are_no_conditions_disturb_no_round(mailbox: int) -> None:
    worker = Worker(mailbox)
    settings.change({"past_days": "30", "batch_size": "5"})
    worker.bring(meeting("y"))
    assert states() == {"y": "live"}


def test_one_that_turns_private_as_it_goes_leaves_no_text_behind(mailbox: int) -> None:
    """Nor does its past: a private appointment's details are stored nowhere."""
    policy = Policy(conditions=Conditions(sensitivities=(Sensitivity.PRIVATE,)))
    details = Details(subject="Surgery", sensitivity=Sensitivity.PRIVATE)
    open_ones = (meeting("x"), series("s", -3, 10))
    said = Details(subject="Surgery", body="Knee")
    Worker(mailbox, policy).bring(*(replace(each, details=said) for each in open_ones))
    turned = (replace(each, change_key="2", details=details) for each in open_ones)
    Worker(mailbox, policy).bring(*turned)
    kept = list(models.Appointment.objects.values_list("state", "subject", "body"))
    assert sorted(kept) == [
        ("record", "Private appointment", ""),
        ("removed", "Private appointment", ""),
    ]


def test_a_held_removal_that_meets_a_condition_is_held_no_more(mailbox: int) -> None:
    Worker(mailbox).bring(special("x", 1, {"show_as": ShowAs.FREE}))
    models.Appointment.objects.update(state="held")
    settings.change({"skip_show_as": "free"})
    assert states() == {"x": "removed"}


def test_a_thousand_appointments_go_in_few_statements(mailbox: int) -> None:
    Worker(mailbox).bring(*(special(f"x{n}", 1, {"show_as": ShowAs.FREE}) for n in range(1000)))
    with CaptureQueriesContext(connection) as captured:
        settings.change({"skip_show_as": "free"})
    assert set(states().values()) == {"removed"}
    assert models.History.objects.filter(rule="skip-show-as").count() == 1000
    assert len(captured) < 40


def test_mailboxes_that_never_succeeded_are_judged_from_their_cutoff(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.begin_full_round()
    past = special("past", -2, {"show_as": ShowAs.FREE})
    worker.bring(past, last=False)
    settings.change({"skip_show_as": "free"})
    assert states() == {"past": "removed"}
    (taken,) = mailboxes.take([mailbox])
    assert taken.cutoff == NOW - 180 * DAY
    assert NOW - past.end < timedelta(days=180)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        (
            "skip_show_as",
            "free;absent",
            "skip_show_as must be some of free, tentative, busy, out_of_office,"
            " working_elsewhere, no_data, not 'absent'.",
        ),
        (
            "skip_sensitivities",
            "secret",
            "skip_sensitivities must be some of normal, personal, private, confidential,"
            " not 'secret'.",
        ),
        (
            "skip_categories",
            "a\nb",
            "skip_categories must be one line without control characters.",
        ),
        (
            "skip_subject_contains",
            ";".join(f"word {n}" for n in range(101)),
            "skip_subject_contains must be at most 100, not 101.",
        ),
        ("skip_declined", "perhaps", "skip_declined must be on or off (true or false), not"),
    ],
)
def test_a_condition_that_can_not_be_is_refused(
    mailbox: int, name: str, value: str, line: str
) -> None:
    with pytest.raises(UsageError) as refused:
        settings.change({name: value, "skip_all_day": "on"})
    assert str(refused.value).startswith(line)
    assert settings.load().policy == Policy()


def test_conditions_are_shown_as_they_were_set() -> None:
    settings.change({"skip_categories": " Travel ; travel;Lunch", "skip_show_as": "Out-of-Office"})
    shown = {each.name: each.value for each in settings.show()}
    assert shown["skip_categories"] == "travel;Lunch"
    assert shown["skip_show_as"] == "out_of_office"
