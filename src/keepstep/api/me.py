"""Who calls."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from keepstep.api.callers import EVERYBODY, caller_of, opens
from keepstep.api.schemas import Me

router = Router(tags=["me"])


@router.get("/me", response=Me, **opens(None, EVERYBODY))
def me(request: HttpRequest) -> object:
    """Tell whose token this is, and what it may be used for."""
    caller = caller_of(request)
    return {
        "account": caller.account.email,
        "role": caller.account.role,
        "operator_id": caller.account.operator_id,
        "token": caller.token.name,
        "scopes": sorted(caller.scopes),
        "expires_at": caller.token.expires_at,
    }
