"""The signature of what a webhook is sent, by the conventions of Standard Webhooks.

Headers `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`: `v1,` and
the HMAC-SHA256, in base64, over id, timestamp and body joined by dots.
"""

from __future__ import annotations

import base64
import hmac

PREFIX = "whsec_"
SECRET_BYTES = 32


def secret_of(random: bytes) -> str:
    """Give random bytes as a secret is written."""
    return PREFIX + base64.b64encode(random).decode()


def headers(secret: str, identity: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Give the headers that tell the receiver whose it is, when it was sent, and that it is ours.

    Raises ValueError for a secret that `secret_of` did not write.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    signed = f"{identity}.{timestamp}.".encode() + body
    made = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{made}",
    }
