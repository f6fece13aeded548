"""The application settings, and the audit of who changed what."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Body, Header, Router

from keepstep.api.callers import ADMINISTRATORS, caller_of, opens
from keepstep.api.door import etag_of
from keepstep.api.paging import CursorText, Limit, number_before, to_cursor
from keepstep.api.problems import Refused
from keepstep.api.schemas_running import AuditEntries, Settings
from keepstep.core.scopes import Scope
from keepstep.store import audit, settings

router = Router(tags=["settings"])


@router.get("/settings", response=Settings, **opens(Scope.READ_SETTINGS, ADMINISTRATORS))
def listing(request: HttpRequest, response: HttpResponse) -> object:
    """List the settings; of secrets only whether they are set."""
    shown = _shown()
    response.headers["ETag"] = _etag(shown)
    return {"items": shown, "notes": []}


@router.patch("/settings", response=Settings, **opens(Scope.WRITE_SETTINGS, ADMINISTRATORS))
def change(
    request: HttpRequest,
    response: HttpResponse,
    values: Body[dict[str, str | int | bool | None]],
    if_match: Annotated[str | None, Header(None, alias="If-Match")] = None,
) -> object:
    """Change settings, all or none, by their names; null or "" sets one back to its default.

    With If-Match only if they are still as they were when that ETag was given.
    """
    with transaction.atomic():
        if if_match is not None and if_match.strip() not in ("*", _etag(_shown())):
            raise Refused("api-changed-meanwhile")
        texts = {name: _text(value) for name, value in values.items()}
        notes = settings.change(texts, by=caller_of(request).by) if texts else []
        shown = _shown()
    response.headers["ETag"] = _etag(shown)
    return {"items": shown, "notes": notes}


@router.get("/audit", response=AuditEntries, **opens(Scope.READ_SETTINGS, ADMINISTRATORS))
def changes(request: HttpRequest, limit: Limit, cursor: CursorText) -> object:
    """List who changed what, the newest first."""
    found = audit.listing(number_before(cursor), limit + 1)
    more, found = len(found) > limit, found[:limit]
    items = [{"id": each.number, **asdict(each)} for each in found]
    return {"items": items, "next": to_cursor(found[-1].number) if more else None}


def _shown() -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "value": each.typed,
            "origin": each.origin,
            "help": each.help,
            "secret": each.secret,
        }
        for each in settings.show()
    ]


def _etag(shown: list[dict[str, Any]]) -> str:
    return etag_of(json.dumps(shown).encode())


def _text(value: str | int | bool | None) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)
