"""A migration must be one that the version before it survives: workers are upgraded one by one."""

from __future__ import annotations

import pytest
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

# Before these there was no fleet to be upgraded while it is at work.
BEFORE_FLEETS = 11
HARMLESS = (operations.CreateModel, operations.AddIndex, operations.SeparateDatabaseAndState)


def survived(operation: operations.base.Operation) -> bool:
    """Say whether code that knows nothing of it reads and writes on as before."""
    if isinstance(operation, operations.AddField):
        field = operation.field
        return field.null or field.many_to_many or field.db_default is not NOT_PROVIDED
    return isinstance(operation, HARMLESS)


def later_operations() -> list[tuple[str, operations.base.Operation]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return [
        (name, operation)
        for (app, name), migration in loader.disk_migrations.items()
        if app == "store" and int(name[:4]) > BEFORE_FLEETS
        for operation in migration.operations
    ]


def test_the_version_before_survives_each_migration() -> None:
    harmful = [
        f"{name}: {each.describe()}" for name, each in later_operations() if not survived(each)
    ]
    assert harmful == []


@pytest.mark.parametrize(
    "operation",
    [
        operations.RemoveField("mailbox", "delay"),
        operations.RenameField("mailbox", "delay", "lag"),
        operations.DeleteModel("Worker"),
        operations.RunSQL("DROP TABLE store_worker"),
    ],
)
def test_what_the_version_before_would_not_survive_is_recognized(
    operation: operations.base.Operation,
) -> None:
    assert not survived(operation)
