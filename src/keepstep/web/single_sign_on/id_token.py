"""Whether an id token is to be believed (OpenID Connect Core 1.0, 3.1.3.7).

django-allauth leaves the signature out where the token came over TLS, and knows no nonce: here
all of it is checked, always.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt
from django.utils.crypto import constant_time_compare

from keepstep.core.errors import SignInError
from keepstep.store.single_sign_on import LONGEST_SUBJECT

# Signed by a key that only the service has; never by a secret that we share, never by none.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
LEEWAY_SECONDS = 60
_KINDS = ("RSA", "EC", "OKP")  # public keys; never one that is a shared secret
_REQUIRED = ("iss", "sub", "aud", "exp", "iat")


def verified(token: object, keys: Mapping[str, Any], issuer: str, client_id: str) -> dict[str, Any]:
    """Give the claims of an id token. Raises SignInError sso-not-proven.

    `keys` is what the service publishes (a JWK Set), `issuer` its own name for itself.
    """
    if not isinstance(token, str):
        raise SignInError("sso-not-proven", "no id token")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_for(token, keys),
            algorithms=ALGORITHMS,
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(_REQUIRED), "verify_iat": True},
        )
    except Exception as error:  # of what a hostile service sends anything can come
        raise SignInError("sso-not-proven", type(error).__name__) from error
    subject, party = claims["sub"], claims.get("azp", client_id)
    if not subject or len(subject) > LONGEST_SUBJECT:
        raise SignInError("sso-not-proven", "no subject")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if party != client_id or (several and "azp" not in claims):
        raise SignInError("sso-not-proven", "azp")
    return claims


def check_nonce(claims: Mapping[str, Any], nonce: object) -> None:
    """Raise SignInError where the token is not for this very sign-in."""
    said = claims.get("nonce")
    if not (isinstance(said, str) and isinstance(nonce, str) and nonce):
        raise SignInError("sso-not-proven", "nonce")
    if not constant_time_compare(said, nonce):
        raise SignInError("sso-not-proven", "nonce")


def _key_for(token: str, keys: Mapping[str, Any]) -> jwt.PyJWK:
    """Give the key that the token says it is signed by; the only one, where it names none."""
    header = jwt.get_unverified_header(token)
    kid, algorithm = header.get("kid"), header.get("alg")
    if algorithm not in ALGORITHMS:
        raise jwt.InvalidAlgorithmError(str(algorithm))
    found = [
        each
        for each in keys["keys"]
        if kid in (None, each.get("kid"))
        and each.get("use", "sig") == "sig"
        and each.get("kty") in _KINDS
        and each.get("alg", algorithm) == algorithm
    ]
    if len(found) != 1:
        raise jwt.InvalidKeyError("no such key")
    return jwt.PyJWK(found[0], algorithm)
