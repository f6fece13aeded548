"""IsSkipAppointment's conditions: what they look at, and what a change of them lets in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepstep.core.appointment import Response, Sensitivity, ShowAs
from keepstep.core.rules import CONDITIONS, Rule
from keepstep.core.skip import NO_CONDITIONS, Conditions, Traits, condition_met, loosened

OPEN = Traits(
    "Team lunch", ("Travel",), ShowAs.BUSY, Sensitivity.NORMAL, Response.ACCEPTED, all_day=False
)


@pytest.mark.parametrize(
    ("traits", "conditions", "rule"),
    [
        ({}, {"categories": ("TRAVEL",)}, Rule.SKIP_CATEGORY),
        ({}, {"categories": ("Trav",)}, None),
        ({}, {"subject_contains": ("LUNCH",)}, Rule.SKIP_SUBJECT),
        ({"subject": "Gro\u00dfe Runde"}, {"subject_contains": ("GROSSE",)}, Rule.SKIP_SUBJECT),
        ({"subject": "Cafe\u0301"}, {"subject_contains": ("CAF\u00c9",)}, Rule.SKIP_SUBJECT),
        ({"subject": ""}, {"subject_contains": ("x",)}, None),
        ({"show_as": ShowAs.FREE}, {"show_as": (ShowAs.FREE,)}, Rule.SKIP_SHOW_AS),
        ({}, {"show_as": (ShowAs.FREE, ShowAs.TENTATIVE)}, None),
        ({"response": Response.DECLINED}, {"declined": True}, Rule.SKIP_DECLINED),
        ({"response": Response.TENTATIVE}, {"declined": True}, None),
        ({"all_day": True}, {"all_day": True}, Rule.SKIP_ALL_DAY),
        ({}, {"all_day": True}, None),
        (
            {"sensitivity": Sensitivity.PRIVATE},
            {"sensitivities": (Sensitivity.PRIVATE,)},
            Rule.SKIP_SENSITIVITY,
        ),
        ({"all_day": True, "response": Response.DECLINED}, {}, None),
    ],
)
def test_a_condition_leaves_out_what_meets_it(traits, conditions, rule):
    assert condition_met(replace(OPEN, **traits), Conditions(**conditions)) is rule


@pytest.mark.parametrize(
    "sensitivity", [Sensitivity.PRIVATE, Sensitivity.PERSONAL, Sensitivity.CONFIDENTIAL]
)
def test_what_a_private_one_says_is_never_looked_at(sensitivity):
    looks_at_text = Conditions(categories=("Travel",), subject_contains=("lunch", "private"))
    assert condition_met(OPEN, looks_at_text) is Rule.SKIP_CATEGORY
    assert condition_met(replace(OPEN, sensitivity=sensitivity), looks_at_text) is None


WORDS = st.lists(st.sampled_from(["a", "A", "b", "ab", "c"]), max_size=3, unique=True).map(tuple)
ALL_CONDITIONS = st.builds(
    Conditions,
    categories=WORDS,
    show_as=st.sets(st.sampled_from(list(ShowAs)), max_size=2).map(tuple),
    sensitivities=st.sets(st.sampled_from(list(Sensitivity)), max_size=2).map(tuple),
    declined=st.booleans(),
    all_day=st.booleans(),
    subject_contains=WORDS,
)
ALL_TRAITS = st.builds(
    Traits,
    subject=st.text("abAB", max_size=3),
    categories=WORDS,
    show_as=st.sampled_from(list(ShowAs)),
    sensitivity=st.sampled_from(list(Sensitivity)),
    response=st.sampled_from(list(Response)),
    all_day=st.booleans(),
)


@given(traits=ALL_TRAITS, before=ALL_CONDITIONS, after=ALL_CONDITIONS)
@settings(max_examples=500, deadline=None)
def test_what_comes_in_by_a_change_was_left_out_by_a_condition_that_became_looser(
    traits, before, after
):
    """So only what was left out by such a condition has to be read again."""
    was, now = condition_met(traits, before), condition_met(traits, after)
    if was is not None and now is None:
        assert was in loosened(before, after)


@given(conditions=ALL_CONDITIONS, traits=ALL_TRAITS)
@settings(max_examples=200, deadline=None)
def test_nothing_is_left_out_without_conditions_and_the_same_ones_are_not_looser(
    conditions, traits
):
    assert condition_met(traits, NO_CONDITIONS) is None
    assert loosened(conditions, conditions) == frozenset()
    assert bool(conditions) == (conditions != NO_CONDITIONS)
    assert condition_met(traits, conditions) in {None, *CONDITIONS}
