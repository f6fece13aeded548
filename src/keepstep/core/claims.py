"""What a sign-in service says of somebody (claims), and what follows from it here.

Claims are what a JSON object holds. The name of a claim is taken as it stands; where there is none
of that name, its dots lead into objects: `realm_access.roles`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from keepstep.core.roles import Role

Claims = Mapping[str, object]

EMAIL = "email"
# Said by Microsoft Entra in place of email_verified: that the tenant owns the address's domain.
_ENTRA_VERIFIED = "xms_edov"
_TRUE = (True, "true", "1", 1)
# The first of these that somebody has counts.
_PRECEDENCE = (Role.ADMINISTRATOR, Role.OPERATOR, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Reading:
    """How claims are read: which say what, and which values stand for which role.

    Without `role_claim` the service decides no role, without `group_claim` no access group.
    `trust_email`: an address counts as verified where the service says nothing of it.
    """

    email_claim: str = EMAIL
    trust_email: bool = False
    role_claim: str = ""
    roles: Mapping[Role, tuple[str, ...]] | None = None
    group_claim: str = ""


def claim_at(claims: Claims, name: str) -> object:
    """Give what a claim says, None where it says nothing."""
    if name in claims:
        return claims[name]
    found: object = claims
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def texts_of(said: object) -> tuple[str, ...]:
    """Give the texts that a claim holds: one, or a list of them; anything else counts for none."""
    several = said if isinstance(said, list) else [said]
    return tuple(each.strip() for each in several if isinstance(each, str) and each.strip())


def is_left_out(claims: Claims, name: str) -> bool:
    """Say whether the service had more to say in a claim than a token holds (groups, at Entra)."""
    elsewhere = claims.get("_claim_names")
    return isinstance(elsewhere, Mapping) and name in elsewhere


def email_of(claims: Claims, reading: Reading) -> tuple[str, bool]:
    """Give the e-mail address ("" for none), and whether it is that person's beyond doubt.

    A claim other than `email` is vouched for by nobody but the administrator who trusts it, and
    nobody's trust outweighs a service that says an address is not verified.
    """
    found = texts_of(claim_at(claims, reading.email_claim))
    if len(found) != 1:
        return "", False
    if reading.email_claim == EMAIL:
        for name in ("email_verified", _ENTRA_VERIFIED):
            if claims.get(name) is not None:
                return found[0], claims[name] in _TRUE
    return found[0], reading.trust_email


def role_of(claims: Claims, reading: Reading) -> Role | None:
    """Give the role that the claims give: the highest of several; None for none."""
    given = set(texts_of(claim_at(claims, reading.role_claim)))
    for role in _PRECEDENCE:
        if given.intersection((reading.roles or {}).get(role, ())):
            return role
    return None


def group_of(claims: Claims, reading: Reading, known: Collection[str]) -> str | None:
    """Give the access group that the claims give ("": none at all); None leaves it as it is.

    It is left where the claim is missing, and where several groups are named of which not exactly
    one is `known` here: nothing is guessed.
    """
    said = claim_at(claims, reading.group_claim) if reading.group_claim else None
    if said is None:
        return None
    given = texts_of(said)
    if len(given) <= 1:
        return given[0] if given else ""
    here = [each for each in dict.fromkeys(given) if each in known]
    return here[0] if len(here) == 1 else None
