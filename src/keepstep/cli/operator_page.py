"""`keepstep operators show`: all that is known of one operator."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import instant, print_json, safe, seconds

if TYPE_CHECKING:
    from keepstep.store.operator_page import OperatorDetail


@click.command()
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def show(email: str, as_json: bool) -> None:
    """Show all that is known of one operator: status, mailbox, what lately failed and changed."""
    from keepstep.store.operator_page import detail

    page = detail(email, datetime.now(UTC))
    if as_json:
        print_json(_as_json(page))
        return
    for line in _lines(page):
        click.echo(safe(line))


def _as_json(page: OperatorDetail) -> dict[str, Any]:
    told = asdict(page)
    del told["key"]
    return told


def _lines(page: OperatorDetail) -> list[str]:
    operator, mailbox, counts = page.operator, page.mailbox, page.counts
    switched = "on" if operator.calendar_sync else "off"
    lines = [
        f"{operator.email}  {operator.name}".rstrip(),
        f"access group {operator.access_group or '-'}, time zone {operator.time_zone},"
        f" calendar sync {switched}",
        f"status {operator.status.value}, last success {instant(operator.last_success) or 'never'}",
        f"{counts.upcoming} appointments ahead, {counts.past} over, {counts.cancelled} cancelled,"
        f" {counts.private} private",
    ]
    lines.append(_told(page))
    if mailbox.in_full_round or mailbox.full_round_wanted:
        under_way = "is under way" if mailbox.in_full_round else "comes next"
        lines.append(f"a full round {under_way}")
    if operator.failure is not None:
        since = instant(operator.failure.since) or "-"
        lines.append(f"{operator.failure.code} since {since}: {operator.failure.message}")
        lines.append(f"  {operator.failure.remedy}")
        lines += [f"  {page.for_exchange}"] if page.for_exchange else []
        lines.append(f"  next attempt {instant(mailbox.next_attempt) or 'with the next run'}")
    if page.hold is not None:
        lines.append(f"{len(page.hold.items)} removals are held: keepstep holds list")
    for aside in page.quarantined:
        lines.append(f"set aside since {instant(aside.since)}: item {aside.item_id}, {aside.code}")
    for changed in page.changes:
        what = ", ".join(f"{count} {what}" for what, count in changed.counts.items())
        lines.append(f"{instant(changed.at)}  {what}")
    for named in page.named_in:
        lines.append(f"{instant(named.started)}  {named.job}: {named.code}")
    return lines


def _told(page: OperatorDetail) -> str:
    """Say how changes come to be known, and what stands in the way of a better one."""
    told = page.delivery
    parts = [f"changes come by {told.way.value}"]
    if told.heard_at is not None:
        parts.append(f"last heard of {instant(told.heard_at)}")
    if told.delay is not None:
        parts.append(f"last delay {seconds(told.delay)}")
    if told.refused is not None:
        parts.append(f"{told.refused.code}: {told.refused.message}")
    return ", ".join(parts)
