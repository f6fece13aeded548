"""Accounts: those who may sign in, their roles, their passwords."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.store import calendar_addresses, sign_in_attempts
from keepstep.store.audit import COMMAND_LINE, record, record_many
from keepstep.store.fields import read_email, shown
from keepstep.store.models import Account, Operator
from keepstep.store.operators import find as find_operator
from keepstep.store.sessions import end_all


class State(StrEnum):
    """How an account stands: it never signed in yet, it may sign in, or it may not any more."""

    INVITED = "invited"
    ACTIVE = "active"
    OFF = "off"


def state(account: Account) -> State:
    """Say how an account stands."""
    if not account.is_active:
        return State.OFF
    used = account.last_login is not None or account.has_usable_password()
    return State.ACTIVE if used else State.INVITED


def listing() -> list[Account]:
    """Give all accounts, in the order of their addresses, each with its operator."""
    return list(Account.objects.select_related("operator").order_by("email"))


def find(email: str) -> Account:
    """Give the account of an address, in any case. Raises UsageError."""
    found = Account.objects.select_related("operator").filter(email__iexact=email.strip()).first()
    if found is None:
        raise UsageError(f"nobody signs in as {shown(email)}: keepstep people list shows who does")
    return found


def create(email: str, role: Role, password: str = "", *, by: str = COMMAND_LINE) -> Account:
    """Make an account. Without a password it is let in by a link alone (`store.links`).

    An operator's address must be that of one who is known; others are joined with theirs if there
    is one. Raises UsageError; nothing is stored then.
    """
    address = _address(email)
    with transaction.atomic():
        if Account.objects.filter(email__iexact=address).exists():
            raise UsageError(f"{address} has an account already.")
        account = Account(email=address, role=role.value, operator=_operator_of(address, role))
        _set_password(account, password)
        account.save()
        record(by, "account.create", address, {"role": ("", role.value)})
    return account


def invite(emails: Iterable[str], role: Role, *, by: str = COMMAND_LINE) -> list[Account]:
    """Make an account for each of these addresses, or for none of them. Raises UsageError."""
    with transaction.atomic():
        return [create(each, role, by=by) for each in emails]


def invite_group(access_group: str, *, by: str = COMMAND_LINE) -> list[Account]:
    """Make an account for each operator of the access group that has none; give the new ones.

    Raises UsageError for an access group that no operator belongs to.
    """
    members = Operator.objects.filter(access_group=access_group).order_by("email")
    if not access_group or not members.exists():
        raise UsageError(f"no operator belongs to the access group {shown(access_group)}.")
    with transaction.atomic():
        return _invite_all(list(members), by)


def _invite_all(operators: Sequence[Operator], by: str) -> list[Account]:
    """Make an account for each of these operators that has none, by a few queries for all."""
    taken = set(Account.objects.annotate(key=Lower("email")).values_list("key", flat=True))
    new = [each for each in operators if each.email.lower() not in taken]
    made = [Account(email=each.email, role=Role.OPERATOR.value, operator=each) for each in new]
    for each in made:
        each.set_unusable_password()
    Account.objects.bulk_create(made, batch_size=500)
    changes = {"role": ("", Role.OPERATOR.value)}
    record_many(by, "account.create", [(each.email, changes) for each in made])
    return made


def set_password(account: Account, password: str, *, by: str = "") -> None:
    """Set a password, which must keep to the rules. Raises UsageError that says which it breaks.

    `by` is who did so, "" for the account itself.
    """
    with transaction.atomic():
        _set_password(account, password)
        account.save(update_fields=["password"])
        record(by or account.email, "account.password", account.email, {"password": "changed"})


def change_role(account: Account, role: Role, *, by: str = COMMAND_LINE) -> None:
    """Give an account another role; its sessions end.

    The subscription address of a calendar that it no longer sees goes.
    Raises UsageError if no administrator would be left.
    """
    with transaction.atomic():
        before = account.role
        if role is not Role.ADMINISTRATOR:
            _check_not_last(account)
        account.role = role.value
        operator = _operator_of(account.email, role)
        if operator != account.operator:
            calendar_addresses.forget_of(account)
        account.operator = operator
        account.save(update_fields=["role", "operator"])
        end_all(account)
        record(by, "account.role", account.email, {"role": (before, role.value)})


def switch(account: Account, *, on: bool, by: str = COMMAND_LINE) -> None:
    """Let an account sign in, or no longer; its sessions end then.

    Raises UsageError if no administrator would be left.
    """
    with transaction.atomic():
        if not on:
            _check_not_last(account)
        account.is_active = on
        account.save(update_fields=["is_active"])
        if not on:
            end_all(account)
        record(by, "account.switch", account.email, {"active": (not on, on)})


def note_link(account: Account, *, by: str = COMMAND_LINE) -> None:
    """Note that somebody lets the account in by a link. Raises UsageError for one switched off."""
    if not account.is_active:
        raise UsageError(f"{account.email} is switched off: switch it on first.")
    record(by, "account.link", account.email, {})


def switch_all(emails: Sequence[str], *, on: bool, by: str = COMMAND_LINE) -> list[Account]:
    """Switch these accounts, all or none; gives those that were otherwise before."""
    with transaction.atomic():
        changed = [each for each in map(find, emails) if each.is_active != on]
        for each in changed:
            switch(each, on=on, by=by)
    return changed


def delete(account: Account, *, by: str = COMMAND_LINE) -> None:
    """Delete an account; the operator's calendar stays, but not its subscription address.

    Raises UsageError as `switch` does.
    """
    with transaction.atomic():
        _check_not_last(account)
        calendar_addresses.forget_of(account)
        record(by, "account.delete", account.email, {})
        account.delete()


def erase_of(operator: Operator) -> None:
    """Delete the accounts of an operator, and what was noted of attempts to sign in to them.

    Call it in the transaction of the erasure. Raises UsageError for the last administrator.
    """
    theirs = Account.objects.filter(Q(operator=operator) | Q(email__iexact=operator.email))
    addresses = {operator.email.lower()}
    for account in theirs:
        _check_not_last(account)
        addresses.add(account.email.lower())
        account.delete()
    sign_in_attempts.forget(addresses)


def set_language(account: Account, language: str) -> None:
    """Keep the language of the pages, "" for the browser's."""
    account.language = language
    account.save(update_fields=["language"])


def _address(email: str) -> str:
    try:
        return read_email(email)
    except ValueError as error:
        raise UsageError(f"email {error}.") from None


def _operator_of(address: str, role: Role) -> Operator | None:
    if role is Role.OPERATOR:
        return find_operator(address)
    if role is Role.AUDITOR:
        return None
    return Operator.objects.filter(email__iexact=address).first()


def _set_password(account: Account, password: str) -> None:
    if not password:
        account.set_unusable_password()
        return
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise UsageError(" ".join(error.messages)) from None
    account.set_password(password)


def _check_not_last(account: Account) -> None:
    if account.role != Role.ADMINISTRATOR or not account.is_active:
        return
    others = Account.objects.filter(role=Role.ADMINISTRATOR, is_active=True)
    if not others.select_for_update().exclude(pk=account.pk).exists():
        raise UsageError(f"{account.email} is the last administrator: make another one first.")
