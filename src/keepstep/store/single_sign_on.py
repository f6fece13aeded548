"""Letting people in whom a sign-in service vouches for: whose account, with which role.

An account is found by issuer and subject once it is linked; before, by an e-mail address that is
that person's beyond doubt. Each change is noted in the audit as done by `BY`.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from keepstep.core.claims import Claims, Reading, email_of, group_of, is_left_out, role_of
from keepstep.core.errors import SignInError, UsageError
from keepstep.core.roles import Role
from keepstep.store import accounts, audit, operators
from keepstep.store.models import Account, Identity
from keepstep.store.sessions import end_all
from keepstep.store.settings import ApplicationSettings

BY = "single sign-on"
_TRIES = 2
LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, 2: never more


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody whom a sign-in service vouches for.

    `issuer` and `subject` are who it is there, `claims` what else was said.
    """

    issuer: str
    subject: str
    claims: Claims


def is_set_up(settings: ApplicationSettings) -> bool:
    """Say whether single sign-on can be tried."""
    return bool(settings.sso_issuer and settings.sso_client_id)


def reading_of(settings: ApplicationSettings) -> Reading:
    """Give how the settings have claims read."""
    return Reading(
        email_claim=settings.sso_email_claim,
        trust_email=settings.sso_trust_email,
        role_claim=settings.sso_role_claim,
        roles={
            Role.ADMINISTRATOR: settings.sso_administrators,
            Role.OPERATOR: settings.sso_operators,
            Role.AUDITOR: settings.sso_auditors,
        },
        group_claim=settings.sso_group_claim,
    )


def fingerprint(settings: ApplicationSettings) -> str:
    """Give what is another text once a setting changes that decides who gets in, and as what.

    The application's secret is none of these: it must be renewed now and then.
    """
    decisive = (
        settings.sso_issuer,
        settings.sso_client_id,
        settings.sso_scope,
        settings.sso_email_claim,
        settings.sso_trust_email,
        settings.sso_role_claim,
        settings.sso_administrators,
        settings.sso_operators,
        settings.sso_auditors,
    )
    return hashlib.sha256(repr(decisive).encode()).hexdigest()


def check_way_in(before: ApplicationSettings, after: ApplicationSettings) -> None:
    """Raise UsageError where nobody might be able to sign in once passwords are off.

    Call it in the transaction of the change, for settings that have passwords off.
    """
    if not before.sso_passwords:
        if fingerprint(before) != fingerprint(after):
            raise UsageError(
                "while passwords are off, nothing else that decides who gets in can be changed:"
                " set sso_passwords=on, make the change, sign in by it, and switch them off again."
            )
        return
    if not is_set_up(after):
        raise UsageError(
            "sso_passwords can't be off without single sign-on: set sso_issuer and sso_client_id."
        )
    proven = Identity.objects.filter(
        issuer=after.sso_issuer,
        proof=fingerprint(after),
        account__role=Role.ADMINISTRATOR,
        account__is_active=True,
    )
    if not proven.exists():
        raise UsageError(
            "sso_passwords stays on until an administrator has signed in by single sign-on as it"
            " is set now."
        )


def admit(person: Vouched, settings: ApplicationSettings, now: datetime) -> Account:
    """Give the account of somebody, made, linked and changed as the claims say. `now` is UTC.

    Raises SignInError with a code of the catalogue for one who is not to be let in; sessions of
    one who lost the role are ended then, and nothing else is changed.
    """
    reading = reading_of(settings)
    if reading.role_claim and role_of(person.claims, reading) is None:
        _end_sessions_of(person)
        raise SignInError("sso-no-role", _why_no_role(person.claims, reading))
    for _ in range(_TRIES):
        # Of two at once the second finds what the first has made.
        with suppress(IntegrityError), transaction.atomic():
            return _admit(person, reading, settings, now)
    with transaction.atomic():
        return _admit(person, reading, settings, now)


def unlink(account: Account, *, by: str = audit.COMMAND_LINE) -> int:
    """Forget who an account is at sign-in services, end its sessions; give how many it was."""
    with transaction.atomic():
        issuers = sorted(account.identities.values_list("issuer", flat=True))
        account.identities.all().delete()
        if issuers:
            end_all(account)
            audit.record(by, "account.unlink", account.email, {"issuer": (issuers, [])})
    return len(issuers)


def _admit(
    person: Vouched, reading: Reading, settings: ApplicationSettings, now: datetime
) -> Account:
    identity = (
        Identity.objects.select_for_update(of=("self",))
        .filter(issuer=person.issuer, subject=person.subject)
        .select_related("account__operator")
        .first()
    )
    role = role_of(person.claims, reading) if reading.role_claim else None
    account = identity.account if identity else _by_email(person, reading, role, settings)
    if not account.is_active:
        raise SignInError("account-off")
    if role is not None and account.role != role:
        _change_role(account, role)
    _change_group(account, person, reading)
    if identity is None:
        identity = Identity(
            account=account, issuer=person.issuer, subject=person.subject, linked=now
        )
        audit.record(BY, "account.identity", account.email, {"issuer": ("", person.issuer)})
    identity.used, identity.proof = now, fingerprint(settings)
    identity.save()
    return account


def _by_email(
    person: Vouched, reading: Reading, role: Role | None, settings: ApplicationSettings
) -> Account:
    """Give the account of the person's address, made if that is wanted. Raises SignInError."""
    email, is_sure = email_of(person.claims, reading)
    if not is_sure:
        raise SignInError("sso-email-unverified", email[:254])
    found = next((each for each in _of_address(email) if _is_same(each.email, email)), None)
    if found is None:
        return _newcomer(email, role, settings)
    linked = found.identities.filter(issuer=person.issuer).first()
    if linked is not None and linked.subject == person.subject:
        raise IntegrityError("linked meanwhile")
    if linked is not None:
        raise SignInError("sso-account-taken", found.email)
    return found


def _of_address(email: str) -> QuerySet[Account]:
    return Account.objects.filter(email__iexact=email).select_related("operator")


def _newcomer(email: str, role: Role | None, settings: ApplicationSettings) -> Account:
    if not settings.sso_create:
        raise SignInError("sso-unknown-person", email[:254])
    try:
        return accounts.create(email, role or Role.OPERATOR, by=BY)
    except UsageError as error:
        if any(_is_same(each.email, email) for each in _of_address(email)):
            raise IntegrityError("made meanwhile") from None
        raise SignInError("sso-unknown-person", str(error)) from None


def _change_role(account: Account, role: Role) -> None:
    try:
        accounts.change_role(account, role, by=BY)
    except UsageError as error:
        raise SignInError("sso-no-role", str(error)) from None


def _change_group(account: Account, person: Vouched, reading: Reading) -> None:
    operator = account.operator
    if operator is None:
        return
    group = group_of(person.claims, reading, operators.access_groups())
    if group is None or group == operator.access_group:
        return
    try:
        account.operator = operators.edit(operator.email, {"access_group": group}, by=BY)
    except UsageError as error:
        raise SignInError("sso-no-role", str(error)) from None


def _is_same(ours: str, theirs: str) -> bool:
    """Say whether two addresses are one, in any case of ASCII: databases find more alike."""
    both_ascii = ours.isascii() and theirs.isascii()
    return ours == theirs or (both_ascii and ours.lower() == theirs.lower())


def _why_no_role(claims: Claims, reading: Reading) -> str:
    if is_left_out(claims, reading.role_claim):
        return f"{reading.role_claim}: too many for a token; let roles of the application decide"
    return reading.role_claim


def _end_sessions_of(person: Vouched) -> None:
    identities = Identity.objects.filter(issuer=person.issuer, subject=person.subject)
    for identity in identities.select_related("account"):
        end_all(identity.account)
