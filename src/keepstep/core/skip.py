"""IsSkipAppointment: which appointments stay out, and how private ones are shown.

A *condition* leaves out appointments that are ahead, by what they are. A series is judged as a
whole, by its master: what one changed occurrence says of itself does not matter. Subject and
categories of what is not open are never looked at: their text is nobody's business, and what is
stored of them does not depend on it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from keepstep.core.appointment import (
    Appointment,
    ChangedOccurrence,
    Details,
    Response,
    Sensitivity,
    ShowAs,
)
from keepstep.core.rules import Rule

PRIVATE_SUBJECT = "Private appointment"
NOT_OPEN = frozenset({Sensitivity.PRIVATE, Sensitivity.PERSONAL, Sensitivity.CONFIDENTIAL})


class PrivateAppointments(StrEnum):
    """The setting `private_appointments`."""

    BUSY_ONLY = "busy-only"
    SKIP = "skip"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Conditions:
    """The optional conditions: an appointment that meets one of them is left out.

    Categories and parts of subjects are compared without regard to case.
    """

    categories: tuple[str, ...] = ()
    show_as: tuple[ShowAs, ...] = ()
    sensitivities: tuple[Sensitivity, ...] = ()
    declined: bool = False
    all_day: bool = False
    subject_contains: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != NO_CONDITIONS


NO_CONDITIONS = Conditions()


@dataclass(frozen=True, slots=True)
class Traits:
    """What the conditions look at. `response` is the operator's own."""

    subject: str
    categories: tuple[str, ...]
    show_as: ShowAs
    sensitivity: Sensitivity
    response: Response
    all_day: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """What an administrator set: how far back a first round looks, what stays out, what of private.

    The last is how private appointments are kept.
    """

    past_days: int = 180
    private_appointments: PrivateAppointments = PrivateAppointments.BUSY_ONLY
    conditions: Conditions = field(default_factory=Conditions)

    @property
    def past(self) -> timedelta:
        """Give `past_days` as a length of time."""
        return timedelta(days=self.past_days)


def stays_out(sensitivity: Sensitivity, policy: Policy) -> Rule | None:
    """Give the rule that keeps an appointment out for what it is, or None."""
    if sensitivity in NOT_OPEN and policy.private_appointments is PrivateAppointments.SKIP:
        return Rule.PRIVATE_SKIPPED
    return None


def traits_of(appointment: Appointment) -> Traits:
    """Give what the conditions look at; of a series, what its master says."""
    details = appointment.details
    return Traits(
        details.subject,
        details.categories,
        details.show_as,
        details.sensitivity,
        details.response,
        appointment.all_day,
    )


def condition_met(traits: Traits, conditions: Conditions) -> Rule | None:
    """Give the first condition, as a rule, that leaves an appointment of these traits out."""
    if traits.sensitivity in conditions.sensitivities:
        return Rule.SKIP_SENSITIVITY
    if traits.show_as in conditions.show_as:
        return Rule.SKIP_SHOW_AS
    if conditions.declined and traits.response is Response.DECLINED:
        return Rule.SKIP_DECLINED
    if conditions.all_day and traits.all_day:
        return Rule.SKIP_ALL_DAY
    if traits.sensitivity in NOT_OPEN:
        return None
    if conditions.categories and traits.categories:
        wanted = {fold(each) for each in conditions.categories}
        if any(fold(each) in wanted for each in traits.categories):
            return Rule.SKIP_CATEGORY
    if conditions.subject_contains:
        subject = fold(traits.subject)
        if any(fold(each) in subject for each in conditions.subject_contains):
            return Rule.SKIP_SUBJECT
    return None


def loosened(before: Conditions, after: Conditions) -> frozenset[Rule]:
    """Give the conditions, as rules, that let something in which they left out before."""
    found = {
        Rule.SKIP_SENSITIVITY: not set(before.sensitivities) <= set(after.sensitivities),
        Rule.SKIP_SHOW_AS: not set(before.show_as) <= set(after.show_as),
        Rule.SKIP_DECLINED: before.declined and not after.declined,
        Rule.SKIP_ALL_DAY: before.all_day and not after.all_day,
        Rule.SKIP_CATEGORY: bool(_folded(before.categories) - _folded(after.categories)),
        Rule.SKIP_SUBJECT: any(
            not any(part in each for part in _folded(after.subject_contains))
            for each in _folded(before.subject_contains)
        ),
    }
    return frozenset(rule for rule, is_looser in found.items() if is_looser)


def fold(text: str) -> str:
    """Give the text as it is compared: without regard to case and to how accents are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _folded(texts: tuple[str, ...]) -> set[str]:
    return {fold(each) for each in texts}


def withhold(appointment: Appointment, policy: Policy) -> Appointment:
    """Give the appointment as it may be stored: a private one without its details.

    A series that is open but has a private occurrence keeps all but that occurrence's details.
    """
    if policy.private_appointments is PrivateAppointments.FULL:
        return appointment
    if appointment.details.sensitivity in NOT_OPEN:
        return mask(appointment)
    if any(_is_private(changed) for changed in appointment.changed):
        changed = tuple(
            _mask_occurrence(changed) if _is_private(changed) else changed
            for changed in appointment.changed
        )
        return replace(appointment, changed=changed)
    return appointment


def mask(appointment: Appointment) -> Appointment:
    """Give the appointment with nothing but its times, its sensitivity and how it blocks them."""
    return replace(
        appointment,
        details=_mask_details(appointment.details),
        changed=tuple(_mask_occurrence(changed) for changed in appointment.changed),
        masked=True,
    )


def _is_private(changed: ChangedOccurrence) -> bool:
    return changed.details is not None and changed.details.sensitivity in NOT_OPEN


def _mask_occurrence(changed: ChangedOccurrence) -> ChangedOccurrence:
    details = changed.details and _mask_details(changed.details)
    return replace(changed, details=details)


def _mask_details(details: Details) -> Details:
    return Details(
        subject=PRIVATE_SUBJECT,
        sensitivity=details.sensitivity,
        show_as=details.show_as,
        cancelled=details.cancelled,
        response=details.response,
    )
