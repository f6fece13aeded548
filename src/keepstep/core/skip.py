"""IsSkipAppointment: which appointments stay out, and how private ones are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from keepstep.core.appointment import Appointment, ChangedOccurrence, Details, Sensitivity
from keepstep.core.rules import Rule

PRIVATE_SUBJECT = "Private appointment"
NOT_OPEN = frozenset({Sensitivity.PRIVATE, Sensitivity.PERSONAL, Sensitivity.CONFIDENTIAL})


class PrivateAppointments(StrEnum):
    """The setting `private_appointments`."""

    BUSY_ONLY = "busy-only"
    SKIP = "skip"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Policy:
    """What an administrator set: how far back a first round looks, and what of private ones."""

    past_days: int = 180
    private_appointments: PrivateAppointments = PrivateAppointments.BUSY_ONLY

    @property
    def past(self) -> timedelta:
        """Give `past_days` as a length of time."""
        return timedelta(days=self.past_days)


def stays_out(sensitivity: Sensitivity, policy: Policy) -> Rule | None:
    """Give the rule that keeps an appointment out for what it is, or None."""
    if sensitivity in NOT_OPEN and policy.private_appointments is PrivateAppointments.SKIP:
        return Rule.PRIVATE_SKIPPED
    return None


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
