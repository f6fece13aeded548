"""The import of operators from a file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from django.http import HttpRequest
from ninja import File, Form, Router
from ninja.files import UploadedFile

from keepstep.api.callers import ADMINISTRATORS, caller_of, opens
from keepstep.api.schemas_running import Imported
from keepstep.core.errors import UsageError
from keepstep.core.scopes import Scope
from keepstep.store import imports
from keepstep.store.import_files import LARGEST_FILE

router = Router(tags=["operators"])


@router.post("/operators/import", response=Imported, **opens(Scope.WRITE_OPERATORS, ADMINISTRATORS))
def load(
    request: HttpRequest,
    file: File[UploadedFile],
    dry_run: Form[bool] = False,
    purpose: Form[Literal["add", "add-or-update"]] = "add-or-update",
    all_or_nothing: Form[bool] = False,
) -> object:
    """Load a CSV or XLSX file: the good rows, or with all_or_nothing all or none of them."""
    if (file.size or 0) > LARGEST_FILE:
        raise UsageError(f"the file is larger than {LARGEST_FILE // 1024**2} MB: split it.")
    done = imports.import_upload(
        file.name or "upload",
        file.read(),
        imports.Purpose(purpose),
        dry_run=dry_run,
        all_or_nothing=all_or_nothing,
        by=caller_of(request).by,
    )
    return {
        "added": done.added,
        "updated": done.updated,
        "unchanged": done.unchanged,
        "refused": [asdict(each) for each in done.refused],
        "notes": list(done.notes),
        "stored": done.stored,
    }
