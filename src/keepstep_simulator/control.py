"""The control face: HTTP and JSON for tests in other processes, for loopback clients only."""

import dataclasses
import ipaddress
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from keepstep_simulator.face import Answer, Request
from keepstep_simulator.faults import Fault
from keepstep_simulator.items import Recurrence
from keepstep_simulator.live import Life
from keepstep_simulator.model import MailboxModel
from keepstep_simulator.simulator import Simulator
from keepstep_simulator.transit import GONE

_NOT_FOUND = 404


class Control:
    """Answers requests under ``/control/``.

    ``GET mailboxes``, ``GET log``; ``POST items {"mailbox"}``;
    ``POST mailboxes {"email", "name", "time_zone"}``; ``POST create {"mailbox", ...fields}``,
    ``POST update {"mailbox", "id", ...fields}``, ``POST delete {"mailbox", "id"}``;
    ``POST live {"steps"}``; ``POST faults [{"kind", ...}]``, ``POST faults/clear``,
    ``POST log/clear``.

    Of notifications: ``GET counts``, ``GET told``, ``GET subscriptions``;
    ``POST limits {"subscriptions", "streams", "per_stream", "streaming"}``;
    ``POST forget {"mailbox", "code"}`` (both optional) loses subscriptions, ``POST streams/drop``
    breaks streams off, ``POST watermarks/forget {"mailbox"}`` lets no watermark be good any more.
    """

    def __init__(self, simulator: Simulator) -> None:
        """Take the simulator to control."""
        self._simulator = simulator
        self._life = Life(simulator)
        self._deeds: Mapping[tuple[str, str], Callable[[Any], object]] = {
            ("GET", "mailboxes"): self._mailboxes,
            ("POST", "mailboxes"): self._add_mailbox,
            ("POST", "items"): self._items,
            ("POST", "create"): self._create,
            ("POST", "update"): self._update,
            ("POST", "delete"): self._delete,
            ("GET", "log"): lambda _: [_plain(each) for each in simulator.log],
            ("POST", "log/clear"): lambda _: simulator.clear_counts(),
            ("POST", "live"): self._live,
            ("POST", "faults"): self._faults,
            ("POST", "faults/clear"): lambda _: simulator.faults.clear(),
            ("GET", "counts"): lambda _: simulator.counts(),
            ("GET", "told"): lambda _: [_plain(each) for each in simulator.notifier.told],
            ("GET", "subscriptions"): self._subscriptions,
            ("POST", "limits"): self._limits,
            ("POST", "forget"): self._forget,
            ("POST", "streams/drop"): lambda _: simulator.notifier.drop_streams(),
            ("POST", "watermarks/forget"): self._forget_watermarks,
        }

    def answer(self, request: Request) -> Answer:
        """Do what is asked; 403 for who is not on this machine, 400 for what makes no sense."""
        if not _is_loopback(request.remote):
            return _json(403, {"error": "loopback only"})
        deed = self._deeds.get((request.method, request.path.removeprefix("/control/").strip("/")))
        if deed is None:
            return _json(_NOT_FOUND, {"error": "no such control"})
        try:
            given = json.loads(request.body) if request.body else {}
            return _json(200, deed(given))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def _mailboxes(self, _: Any) -> object:
        return [
            {"email": each.email, "name": each.name, "items": len(each)}
            for each in self._simulator.mailboxes.values()
        ]

    def _add_mailbox(self, given: Any) -> object:
        mailbox = self._simulator.add_mailbox(
            given["email"], given.get("name"), given.get("time_zone", "Europe/Berlin")
        )
        return {"email": mailbox.email}

    def _items(self, given: Any) -> object:
        mailbox = self._simulator.mailboxes[given["mailbox"].lower()]
        return [_plain(each) for each in mailbox.items()]

    def _create(self, given: Any) -> object:
        mailbox, fields = self._read(given)
        return {"id": mailbox.create(**fields)}

    def _update(self, given: Any) -> object:
        mailbox, fields = self._read(given)
        mailbox.update(fields.pop("id"), **fields)
        return {}

    def _read(self, given: Any) -> tuple[MailboxModel, dict[str, Any]]:
        """Give the mailbox and the fields; times are RFC 3339, a recurrence is its fields."""
        fields = dict(given)
        mailbox = self._simulator.mailboxes[fields.pop("mailbox").lower()]
        for name in ("start", "end"):
            if name in fields:
                fields[name] = datetime.fromisoformat(fields[name])
        if fields.get("recurrence"):
            fields["recurrence"] = _recurrence(fields["recurrence"])
        return mailbox, fields

    def _delete(self, given: Any) -> object:
        self._simulator.mailboxes[given["mailbox"].lower()].delete(given["id"])
        return {}

    def _live(self, given: Any) -> object:
        return [_plain(each) for each in self._life.step(int(given.get("steps", 1)))]

    def _faults(self, given: Any) -> object:
        self._simulator.faults.add(*(Fault(**each) for each in given))
        return {"faults": len(self._simulator.faults)}

    def _subscriptions(self, _: Any) -> object:
        return [
            {
                "id": each.id,
                "way": each.way,
                "mailbox": each.mailbox.email,
                "server": each.server,
                "url": each.url,
                "frequency": each.frequency,
                "streamed": each.stream is not None,
            }
            for each in self._simulator.notifier.subscriptions
        ]

    def _limits(self, given: Any) -> object:
        self._simulator.limits = dataclasses.replace(self._simulator.limits, **given)
        return _plain(self._simulator.limits)

    def _forget(self, given: Any) -> object:
        address, code = given.get("mailbox"), given.get("code", GONE)
        wanted = None if address is None else address.lower()
        return {"forgotten": self._simulator.notifier.forget(wanted, code)}

    def _forget_watermarks(self, given: Any) -> object:
        self._simulator.mailboxes[given["mailbox"].lower()].news.forget_watermarks()
        return {}


def _recurrence(given: Mapping[str, Any]) -> Recurrence:
    dates = {name: date.fromisoformat(given[name]) for name in ("start", "end") if given.get(name)}
    return Recurrence(**{**given, "days": tuple(given.get("days", ())), **dates})


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value)


def _json(status: int, value: object) -> Answer:
    body = json.dumps(value, default=str, ensure_ascii=False).encode()
    return Answer(status, {"Content-Type": "application/json"}, body)


def _is_loopback(remote: str) -> bool:
    try:
        return ipaddress.ip_address(remote).is_loopback
    except ValueError:
        return False
