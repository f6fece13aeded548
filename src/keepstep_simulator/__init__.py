"""A stand-in Microsoft Exchange server that speaks EWS, for demos and tests.

It shares no code with the client that it is there to test, so that the two can disagree.
"""

from keepstep_simulator.face import Answer, Delivery, Request
from keepstep_simulator.faults import Fault, Faults
from keepstep_simulator.items import (
    Attendee,
    ChangedOccurrence,
    Item,
    Occurrence,
    Person,
    Recurrence,
)
from keepstep_simulator.limits import Limits, Pace
from keepstep_simulator.live import Deed, Life
from keepstep_simulator.logbook import LogEntry
from keepstep_simulator.model import MailboxModel, NoSuchItem
from keepstep_simulator.running import run
from keepstep_simulator.server import SimulatorThread, serving
from keepstep_simulator.simulator import Simulator
from keepstep_simulator.zones import CustomRules, YearlyRule, Zone, custom_zone, zone_of

__all__ = [
    "Answer",
    "Attendee",
    "ChangedOccurrence",
    "CustomRules",
    "Deed",
    "Delivery",
    "Fault",
    "Faults",
    "Item",
    "Life",
    "Limits",
    "LogEntry",
    "MailboxModel",
    "NoSuchItem",
    "Occurrence",
    "Pace",
    "Person",
    "Recurrence",
    "Request",
    "Simulator",
    "SimulatorThread",
    "YearlyRule",
    "Zone",
    "custom_zone",
    "run",
    "serving",
    "zone_of",
]
