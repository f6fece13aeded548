"""Webhooks: who is told of appointment changes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from keepstep.api import schemas_running as schemas
from keepstep.api.callers import ADMINISTRATORS, caller_of, opens
from keepstep.api.paging import Number
from keepstep.api.problems import not_found
from keepstep.core.scopes import Scope
from keepstep.store import webhooks
from keepstep.store.webhooks import ShownWebhook

router = Router(tags=["webhooks"])
reads = opens(Scope.READ_SETTINGS, ADMINISTRATORS)
writes = opens(Scope.WRITE_SETTINGS, ADMINISTRATORS)


@router.get("/webhooks", response=schemas.Webhooks, **reads)
def listing(request: HttpRequest) -> object:
    """List the webhooks."""
    return {"items": [_shown(each) for each in webhooks.listing()]}


@router.post("/webhooks", response={201: schemas.MadeWebhook}, **writes)
def add(request: HttpRequest, new: schemas.NewWebhook) -> object:
    """Add a webhook, which is told of what changes from now on."""
    now = datetime.now(UTC)
    number, secret = webhooks.add(new.url, new.events, now, by=caller_of(request).by)
    return Status(201, {"id": number, "secret": secret})


@router.patch("/webhooks/{number}", response=schemas.Webhook, **writes)
def change(request: HttpRequest, number: Number, wanted: schemas.WebhookChange) -> object:
    """Change a webhook, or switch it; what happens while it is off is sent later."""
    _one(number)
    webhooks.change(
        number,
        url=wanted.url,
        events=wanted.events,
        enabled=wanted.enabled,
        by=caller_of(request).by,
    )
    return _one(number)


@router.delete("/webhooks/{number}", response={204: None}, **writes)
def delete(request: HttpRequest, number: Number) -> object:
    """Delete a webhook, with what it was to be told."""
    _one(number)
    webhooks.delete(number, by=caller_of(request).by)
    return HttpResponse(status=204)


@router.post("/webhooks/{number}/secret", response=schemas.Secret, **writes)
def renew_secret(request: HttpRequest, number: Number) -> object:
    """Have all that is sent from now on signed by a new secret."""
    _one(number)
    return {"secret": webhooks.renew_secret(number, by=caller_of(request).by)}


@router.post("/webhooks/{number}/replay", response=schemas.Decided, **writes)
def replay(request: HttpRequest, number: Number) -> object:
    """Have the deliveries that were given up sent again."""
    _one(number)
    now = datetime.now(UTC)
    return {"count": webhooks.replay(number, now, by=caller_of(request).by)}


def _one(number: int) -> dict[str, Any]:
    for each in webhooks.listing():
        if each.number == number:
            return _shown(each)
    raise not_found()


def _shown(hook: ShownWebhook) -> dict[str, Any]:
    return {"id": hook.number, **asdict(hook)}
