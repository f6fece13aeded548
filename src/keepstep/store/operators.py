"""Operators: adding, editing, switching calendar sync, listing with sync status."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.db.models.functions import Lower

from keepstep.core.decisions import RowState
from keepstep.core.delivery import Way, way_now
from keepstep.core.errors import UsageError
from keepstep.core.failures import FAILURES
from keepstep.core.schedule import Status, status
from keepstep.store import audit, subscriptions
from keepstep.store.fields import (
    did_you_mean,
    read_email,
    read_group,
    read_line,
    read_switch,
    read_zone,
    sentence,
    shown,
)
from keepstep.store.models import Appointment, Mailbox, Operator
from keepstep.store.settings import load

_BATCH = 500

FIELDS: dict[str, Callable[[str], str | bool]] = {
    "email": read_email,
    "name": read_line,
    "calendar_sync": read_switch,
    "access_group": read_group,
    "time_zone": read_zone,
}


@dataclass(frozen=True, slots=True)
class ShownFailure:
    """What is wrong with a mailbox: code, plain words, remedy, and since when (UTC)."""

    code: str
    message: str
    remedy: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ShownOperator:
    """An operator with the sync status of the mailbox. `last_success` is UTC.

    `way` is how changes come to be known now; `delay` is how many seconds after a change was made
    in Exchange it was last stored, None where that is not known.
    """

    email: str
    name: str
    calendar_sync: bool
    access_group: str
    time_zone: str
    status: Status
    last_success: datetime | None
    failure: ShownFailure | None
    way: Way
    delay: float | None


def listing(now: datetime) -> list[ShownOperator]:
    """Give every operator, in the order of their addresses."""
    operators = Operator.objects.select_related("mailbox").order_by("email")
    held = _held(Appointment.objects.all())
    return _show(operators.iterator(chunk_size=1000), now, held, subscriptions.ways())


def show_some(operators: Sequence[Operator], now: datetime) -> list[ShownOperator]:
    """Give these operators, read with their mailboxes, as a person sees them at `now` (aware)."""
    holds, among = Appointment.objects.all(), None
    if len(operators) <= _BATCH:
        among = [each.mailbox.pk for each in operators]
        holds = holds.filter(mailbox__in=among)
    return _show(operators, now, _held(holds), subscriptions.ways(among))


def _show(
    operators: Iterable[Operator],
    now: datetime,
    held: Mapping[int, tuple[int, datetime]],
    subscribed: Mapping[int, str],
) -> list[ShownOperator]:
    patience = overdue_after()
    return [
        _shown(each, now, patience, held.get(each.mailbox.pk), subscribed.get(each.mailbox.pk, ""))
        for each in operators
    ]


def overdue_after() -> timedelta:
    """Give how long a mailbox may fail until it counts as failed."""
    return timedelta(minutes=load(with_secrets=False).notification_frequency)


def _held(among: QuerySet[Appointment]) -> dict[int, tuple[int, datetime]]:
    """Give, by mailbox, how many removals are held and since when."""
    rows = among.filter(state=RowState.HELD).values("mailbox_id")
    counted = rows.annotate(count=Count("id"), since=Min("state_since"))
    return {each["mailbox_id"]: (each["count"], each["since"]) for each in counted}


def find(email: str) -> Operator:
    """Give the operator of an address, in any case. Raises UsageError that names the likeliest."""
    return find_all([email])[0]


def find_all(emails: Iterable[str]) -> list[Operator]:
    """Give the operators of these addresses, each once. Raises UsageError as `find`."""
    asked = {key_of(each): each for each in emails}
    known = by_key(asked)
    for key, email in asked.items():
        if key not in known:
            near = did_you_mean(email, Operator.objects.values_list("email", flat=True))
            hint = f"; did you mean {near}?" if near else ""
            raise UsageError(f"no operator has the e-mail address {shown(email)}{hint}")
    return [known[key] for key in asked]


def key_of(email: str) -> str:
    """Give what the addresses of an operator have in common, however they are written."""
    return email.strip().lower().replace("\0", "")


def by_key(keys: Iterable[str]) -> dict[str, Operator]:
    """Give the operators that these are keys of (see `key_of`), by key."""
    wanted = list(keys)
    known: dict[str, Operator] = {}
    for start in range(0, len(wanted), _BATCH):
        found = Operator.objects.annotate(key=Lower("email"))
        for each in found.filter(key__in=wanted[start : start + _BATCH]):
            known[each.email.lower()] = each
    return known


def add(email: str, values: Mapping[str, str], *, by: str = audit.COMMAND_LINE) -> Operator:
    """Add an operator, with a mailbox. Raises UsageError; nothing is stored then.

    `by` is who did it, for the audit.
    """
    if "email" in values:
        raise UsageError("email is named already: give the other fields as NAME=VALUE.")
    read = _read({"email": email, **values})
    with transaction.atomic():
        _check_free(str(read["email"]))
        operator = Operator.objects.create(**read)
        Mailbox.objects.create(operator=operator)
        new = {name: (None, value) for name, value in fields_of(operator).items()}
        audit.record(by, "operator.add", operator.email, new)
    return operator


def edit(email: str, values: Mapping[str, str], *, by: str = audit.COMMAND_LINE) -> Operator:
    """Change fields of an operator, all or none; a new address keeps the appointments."""
    read = _read(values)
    with transaction.atomic():
        operator = find(email)
        if "email" in read:
            _check_free(str(read["email"]), but=operator)
        changes = audit.differences(fields_of(operator), read)
        if changes:
            audit.record(by, "operator.edit", operator.email, changes)
        for name, value in read.items():
            setattr(operator, name, value)
        operator.save(update_fields=list(read))
        if "email" in read or read.get("calendar_sync"):
            try_soon([operator.pk])
    return operator


def switch(emails: Sequence[str], *, on: bool, by: str = audit.COMMAND_LINE) -> list[Operator]:
    """Switch calendar sync, for all or none. Gives those for whom it was the other way before."""
    with transaction.atomic():
        return _switch(find_all(emails), on=on, by=by)


def switch_some(
    chosen: QuerySet[Operator], *, on: bool, by: str = audit.COMMAND_LINE
) -> list[Operator]:
    """Switch calendar sync for all whom the query finds. Gives those for whom it was otherwise."""
    with transaction.atomic():
        return _switch(chosen.exclude(calendar_sync=on), on=on, by=by)


def _switch(chosen: Iterable[Operator], *, on: bool, by: str) -> list[Operator]:
    operators = [each for each in chosen if each.calendar_sync != on]
    keys = [each.pk for each in operators]
    for start in range(0, len(keys), _BATCH):
        some = Operator.objects.filter(pk__in=keys[start : start + _BATCH])
        some.update(calendar_sync=on)
    for operator in operators:
        operator.calendar_sync = on
    audit.record_many(
        by,
        "operator.enable" if on else "operator.disable",
        [(each.email, {"calendar_sync": (not on, on)}) for each in operators],
    )
    if on:
        try_soon(keys)
    return operators


def fields_of(operator: Operator) -> dict[str, object]:
    """Give the fields that a person sets, by name."""
    return {name: getattr(operator, name) for name in FIELDS}


def access_groups() -> list[str]:
    """Give the access groups that operators belong to, in order."""
    groups = Operator.objects.exclude(access_group="").values_list("access_group", flat=True)
    return sorted(set(groups))


def try_soon(operator_keys: Iterable[int]) -> None:
    """Let the next round be tried at once: what failed may have been mended by this change."""
    keys = list(operator_keys)
    for start in range(0, len(keys), _BATCH):
        chunk = keys[start : start + _BATCH]
        Mailbox.objects.filter(operator__in=chunk).update(next_attempt=None)


def _read(values: Mapping[str, str]) -> dict[str, str | bool]:
    read: dict[str, str | bool] = {}
    refused: list[str] = []
    for name, text in values.items():
        try:
            read[name] = _reader(name)(text)
        except ValueError as error:
            refused.append(f"{name} {error}" if name in FIELDS else str(error))
    if refused:
        raise UsageError(sentence(refused))
    return read


def _reader(name: str) -> Callable[[str], str | bool]:
    if name not in FIELDS:
        near = did_you_mean(name, FIELDS)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(FIELDS)}"
        raise ValueError(f"an operator has no field {shown(name)}; {hint}")
    return FIELDS[name]


def _check_free(email: str, but: Operator | None = None) -> None:
    others = Operator.objects.filter(email__iexact=email)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise UsageError(f"there is an operator {email} already.")


def _shown(
    operator: Operator,
    now: datetime,
    overdue_after: timedelta,
    held: tuple[int, datetime] | None,
    subscribed: str,
) -> ShownOperator:
    mailbox = operator.mailbox
    stands = status(
        enabled=operator.calendar_sync,
        last_success=mailbox.last_success,
        failing_since=mailbox.failing_since,
        now=now,
        notification_frequency=overdue_after,
    )
    failing = bool(mailbox.failure_code) and operator.calendar_sync
    return ShownOperator(
        email=operator.email,
        name=operator.name,
        calendar_sync=operator.calendar_sync,
        access_group=operator.access_group,
        time_zone=operator.time_zone,
        status=stands,
        last_success=mailbox.last_success,
        failure=_failure(mailbox) if failing else _hold(held),
        way=way_now(subscribed, mailbox.covered_until, now),
        delay=mailbox.delay,
    )


def _hold(held: tuple[int, datetime] | None) -> ShownFailure | None:
    if held is None:
        return None
    count, since = held
    known = FAILURES["held-mass-removal"]
    return ShownFailure(known.code, f"{known.message} ({count} appointments)", known.remedy, since)


def _failure(mailbox: Mailbox) -> ShownFailure:
    known = FAILURES.get(mailbox.failure_code, FAILURES["internal-error"])
    detail = f" ({mailbox.failure_detail})" if mailbox.failure_detail else ""
    return ShownFailure(
        mailbox.failure_code, known.message + detail, known.remedy, mailbox.failing_since
    )
