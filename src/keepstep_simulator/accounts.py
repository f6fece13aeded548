"""Who may come in: the service account, the schemes that are offered, the tokens that were issued.

What one header can tell is decided here; what takes several legs on a connection is `handshake`.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qs

SCHEMES = ("Negotiate", "NTLM", "Basic", "Bearer")
REALM = "exchange.example.com"


class Accounts:
    """The service account and how it may sign in.

    ``schemes`` are those offered; ``tokens`` are the valid bearer tokens with their ends;
    ``client_id`` and ``client_secret`` are what the token endpoint takes, ``token_seconds`` how
    long a token holds; ``issued`` counts them. ``token_answer`` replaces the endpoint's answer by
    (status, fields).
    """

    def __init__(self, username: str, password: str, clock: Callable[[], datetime]) -> None:
        """Take the account's name and password, and the clock by which tokens end."""
        self.username = username
        self.password = password
        self.clock = clock
        self.schemes: tuple[str, ...] = ("Basic",)
        self.client_id = "keepstep"
        self.client_secret = "client-secret"  # noqa: S105 - the stand-in's, known to all
        self.tenant = "example"
        self.token_seconds = 3600
        self.token_answer: tuple[int, Mapping[str, object]] | None = None
        self.tokens: dict[str, datetime] = {}
        self.issued = 0

    @property
    def challenge(self) -> str:
        """WWW-Authenticate of a 401."""
        realm = {"Basic": f' realm="{REALM}"', "Bearer": f' realm="{REALM}"'}
        return ", ".join(each + realm.get(each, "") for each in self.schemes)

    def user(self, authorization: str) -> str | None:
        """Give the user of a right sign-in that one header tells, else None."""
        scheme, _, told = authorization.partition(" ")
        name = scheme.capitalize()
        if name not in self.schemes:
            return None
        if name == "Basic":
            return self._basic(told)
        until = self.tokens.get(told.strip())
        return self.username if until is not None and until > self.clock() else None

    def _basic(self, token: str) -> str | None:
        """Give the user of a right pair; a domain before or behind the name will do."""
        try:
            text = base64.b64decode(token, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return None
        user, _, password = text.partition(":")
        bare = user.rpartition("\\")[2]
        names = {self.username, self.username.rpartition("\\")[2]}
        right = bool({user, bare, bare.partition("@")[0]} & names)
        return user if right and password == self.password else None

    def token(self, body: bytes) -> tuple[int, Mapping[str, object]]:
        """Give status and fields of the answer to a request for a token by client credentials."""
        if self.token_answer is not None:
            return self.token_answer
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8")).items()}
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        given = (form.get("client_id"), form.get("client_secret"))
        if given != (self.client_id, self.client_secret):
            return 401, {"error": "invalid_client", "error_codes": [7000215]}
        if not form.get("scope", "").endswith("/.default"):
            return 400, {"error": "invalid_scope", "error_codes": [70011]}
        token = secrets.token_urlsafe(32)
        self.tokens[token] = self.clock() + timedelta(seconds=self.token_seconds)
        self.issued += 1
        return 200, {
            "token_type": "Bearer",
            "access_token": token,
            "expires_in": self.token_seconds,
        }
