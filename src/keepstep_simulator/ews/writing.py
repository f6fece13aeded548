"""CreateItem, UpdateItem and DeleteItem share this: fields of a request laid over an item."""

from collections.abc import Mapping
from typing import Any

from keepstep_simulator.ews.envelope import EwsError
from keepstep_simulator.fields import BadFields
from keepstep_simulator.items import Attendee
from keepstep_simulator.series import BadRecurrence

ROLES = ("required", "optional", "resource")
REFUSED = (BadFields, BadRecurrence, ValueError)
"""What the model raises for fields that make no item."""


def with_attendees(fields: Mapping[str, Any], known: tuple[Attendee, ...]) -> dict[str, Any]:
    """Give the fields with attendees of all roles as one list; roles not given stay as known."""
    result = {name: value for name, value in fields.items() if name not in ROLES}
    if any(role in fields for role in ROLES):
        attendees: list[Attendee] = []
        for role in ROLES:
            kept = [each for each in known if each.role == role]
            attendees.extend(fields.get(role, kept))
        result["attendees"] = tuple(attendees)
    return result


def as_ews_error(error: Exception) -> EwsError:
    """Give the EWS error of something that the model refused."""
    if isinstance(error, BadRecurrence):
        return EwsError("ErrorCalendarInvalidRecurrence", str(error))
    if "end before start" in str(error):
        return EwsError("ErrorCalendarEndDateIsEarlierThanStartDate")
    return EwsError("ErrorCalendarInvalidPropertyValue", str(error))
