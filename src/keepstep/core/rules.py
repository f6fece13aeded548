"""The rules by which it is decided what becomes of an appointment, each in plain words.

The history keeps their names; `explain` shows the words. Names are stable.
"""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """Why something was done, or left undone."""

    def __new__(cls, name: str, words: str) -> Rule:
        """Make a member with its words."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.words = words
        return member

    words: str

    ENDS_AFTER_BOUNDARY = (
        "ends-after-boundary",
        "It ends after the last success (in a first round: within the past days).",
    )
    ENDED_BEFORE = (
        "ended-before",
        "It was over before the last success (in a first round: longer ago than the past days).",
    )
    OVER_BEFORE_AND_AFTER = (
        "over-before-and-after",
        "It was over before the change and is over after it: the record of past meetings stands.",
    )
    PRIVATE_SKIPPED = (
        "private-skipped",
        "It is private, and the setting private_appointments is skip.",
    )
    SKIP_SENSITIVITY = (
        "skip-sensitivity",
        "Left out by the condition skip_sensitivities: its sensitivity is among them.",
    )
    SKIP_SHOW_AS = (
        "skip-show-as",
        "Left out by the condition skip_show_as: it shows the time as one of those.",
    )
    SKIP_DECLINED = (
        "skip-declined",
        "Left out by the condition skip_declined: the operator declined it.",
    )
    SKIP_ALL_DAY = (
        "skip-all-day",
        "Left out by the condition skip_all_day: it is an all-day one.",
    )
    SKIP_CATEGORY = (
        "skip-category",
        "Left out by the condition skip_categories: it has one of those categories.",
    )
    SKIP_SUBJECT = (
        "skip-subject",
        "Left out by the condition skip_subject_contains: its subject has one of those words.",
    )
    SAME_MEETING_NEW_ITEM_ID = (
        "same-meeting-new-item-id",
        "Exchange shows the same meeting (UID and start) under a new item id.",
    )
    REAPPEARED = ("reappeared", "It was gone from Exchange and is there again.")
    CANCELLED_IN_EXCHANGE = ("cancelled-in-exchange", "The meeting was cancelled in Exchange.")
    DELETED_IN_EXCHANGE = (
        "deleted-in-exchange",
        "It was deleted in Exchange, or moved out of the calendar folder.",
    )
    DELETED_AFTER_ITS_END = (
        "deleted-after-its-end",
        "It was deleted in Exchange when it was over: the record of past meetings stands.",
    )
    ABSENT_IN_FULL_ROUND = (
        "absent-in-full-round",
        "A full round did not find it in Exchange any more.",
    )
    HELD_MASS_REMOVAL = (
        "held-mass-removal",
        "It vanished together with most of the calendar: the removal is held for a person.",
    )
    HOLD_RELEASED = ("hold-released", "A person released the held removal.")
    HOLD_DISCARDED = ("hold-discarded", "A person discarded the held removal: it stays.")
    PRIVATE_MASKED = (
        "private-masked",
        "It is private, and the setting private_appointments was changed: no details are kept.",
    )
    NO_LONGER_KEPT = (
        "no-longer-kept",
        "It is over for longer than past_keep_days, for which past appointments are kept.",
    )
    UNCHANGED = ("unchanged", "The same version as is known.")


CONDITIONS = frozenset(
    {
        Rule.SKIP_SENSITIVITY,
        Rule.SKIP_SHOW_AS,
        Rule.SKIP_DECLINED,
        Rule.SKIP_ALL_DAY,
        Rule.SKIP_CATEGORY,
        Rule.SKIP_SUBJECT,
    }
)


def rule_of(name: str) -> Rule:
    """Give the rule of a name. Raises ValueError for a name that no rule has."""
    return Rule(name)  # type: ignore[call-arg]


def in_words(name: str) -> str:
    """Give the words of a rule, or of a failure of the catalogue, by its name."""
    from keepstep.core.failures import FAILURES

    if name in set(Rule):
        return rule_of(name).words
    failure = FAILURES.get(name)
    return failure.message if failure else name
