"""Dates on the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

_YEARS = range(1900, 2200)


class Day(click.ParamType):  # type: ignore[type-arg]  # older ones of click are not generic
    """A date as ISO 8601 writes it, within the years that a calendar can hold."""

    name = "date"

    def convert(
        self, value: str | date, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Read the date; anything else is a usage error."""
        if isinstance(value, date):
            return value
        try:
            day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError:
            self.fail(f"{value[:40]!r} is no date such as 2026-11-24.", param, ctx)
        if day.year not in _YEARS:
            self.fail(f"{value} is not between {_YEARS.start} and {_YEARS.stop - 1}.", param, ctx)
        return day
