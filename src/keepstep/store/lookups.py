"""For statements that are made often.

`among`: a column is one of many values, asked for as one parameter however many they are.
Django's `in` makes a parameter of each value, and a statement as long, anew for each call: for the
ids of one page that costs more than the database's answer.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Lookup, Q
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    _Lookup = Lookup[Collection[Any]]
else:
    _Lookup = Lookup  # Django's own is no generic class


@Field.register_lookup
class Among(_Lookup):
    """Say that text or a number is one of a list. The values are taken as they are."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        """Give the condition, and its parameters."""
        column, parameters = self.process_lhs(compiler, connection)
        values = list(self.rhs)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", [*parameters, values]
        condition = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - a column's name
        return condition, [*parameters, json.dumps(values)]


def among(field: str, values: Collection[str] | Collection[int]) -> Q:
    """Give the condition that a field is one of these values."""
    return Q(**{f"{field}__among": values})


def parameter(instant: datetime) -> str | datetime:
    """Give an aware instant as the database in use takes it in a statement of our own."""
    adapted = connection.ops.adapt_datetimefield_value(instant)
    assert adapted is not None
    return adapted
