"""`keepstep skip`: what conditions of IsSkipAppointment would leave out, before they are saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import instant, print_json, print_table, safe
from keepstep.cli.pairs import read_pairs

if TYPE_CHECKING:
    from keepstep.core.rules import Rule
    from keepstep.store.skip_preview import Entry, Preview
    from keepstep.sync.dry_round import DryEntry, DryRound

SHOWN = 20


@click.group()
def skip() -> None:
    """Look at which appointments stay out (IsSkipAppointment); settings set changes it."""


@skip.command()
@click.argument("pairs", metavar="NAME=VALUE ...", nargs=-1, required=True)
@click.option("--operator", "email", metavar="EMAIL", help="Read this mailbox, in a dry round.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
@needs_database
def preview(
    context: click.Context, pairs: tuple[str, ...], email: str | None, as_json: bool
) -> None:
    """Show what these settings would change, were they saved; nothing is.

    NAME is one of skip_categories, skip_show_as, skip_sensitivities, skip_declined, skip_all_day,
    skip_subject_contains (lists are separated by ;) and past_days. Settings that are not named
    stay as they are. With --operator that mailbox is read, and what a full round would bring in
    and take out is shown, too.
    """
    from keepstep.core.errors import ExchangeError
    from keepstep.store import skip_preview
    from keepstep.store.operators import find

    policy = skip_preview.prospective(read_pairs(pairs))
    operator = find(email) if email else None
    stored = skip_preview.preview(policy.conditions, operator)
    dry: DryRound | None = None
    failures: list[dict[str, str]] = []
    if operator is not None:
        from keepstep.sync.dry_round import dry_round_now
        from keepstep.sync.run import failure_entry

        try:
            dry = dry_round_now(operator, policy)
        except ExchangeError as error:
            failures.append(failure_entry(operator.email, error.code, error.detail))
    if as_json:
        dry_json = None if dry is None else _dry_json(dry)
        print_json({"stored": _stored_json(stored), "dry_round": dry_json, "failures": failures})
    else:
        _print_stored(stored)
        if dry is not None:
            _print_dry(dry)
        for each in failures:
            line = f"{each['operator']}: {each['code']}: {each['message']} {each['remedy']}"
            click.echo(safe(line), err=True)
    if failures:
        context.exit(1)


def _print_stored(found: Preview) -> None:
    click.echo(
        f"Of what is stored {found.count} appointments of {found.operators} operators would go;"
        f" {found.full_rounds} mailboxes would be read whole."
    )
    for line in _by_rule(found.by_rule):
        click.echo(line)
    if found.entries:
        rows = [(each.operator, *_row(each)) for each in found.entries[:SHOWN]]
        print_table(("OPERATOR", "START", "SUBJECT", "CONDITION"), rows)
        _print_rest(found.count)


def _print_dry(done: DryRound) -> None:
    click.echo(
        f"A full round of {safe(done.operator)} now, with {done.listed} entries in Exchange:"
        f" {len(done.comes_in)} would come in, {len(done.goes)} would go, {done.changed} would"
        f" change ({done.requests} requests, nothing was stored)."
    )
    if done.held:
        click.echo(f"  {done.held} would vanish all at once and be held for a person.")
    if done.unread:
        click.echo(f"  {done.unread} could not be looked at.")
    for line in _by_rule(done.stays_out, "stay out"):
        click.echo(line)
    for heading, entries in (("COMES IN", done.comes_in), ("GOES", done.goes)):
        if entries:
            rows = [_row(each) for each in entries[:SHOWN]]
            print_table((heading, "SUBJECT", "RULE"), rows)
            _print_rest(len(entries))


def _print_rest(count: int) -> None:
    if count > SHOWN:
        click.echo(f"... and {count - SHOWN} more.")


def _by_rule(counts: Mapping[Rule, int], what: str = "") -> list[str]:
    return [
        f"  {number} {what}: {rule.words}" if what else f"  {number}: {rule.words}"
        for rule, number in counts.items()
    ]


def _row(entry: Entry | DryEntry) -> tuple[str, str, str]:
    start = instant(entry.start) or ""
    return f"{start} (series)" if entry.is_series else start, entry.subject, entry.rule.value


def _stored_json(found: Preview) -> dict[str, Any]:
    return {
        "count": found.count,
        "operators": found.operators,
        "full_rounds": found.full_rounds,
        "conditions": {rule.value: number for rule, number in found.by_rule.items()},
        "entries": [{"operator": each.operator, **_entry_json(each)} for each in found.entries],
    }


def _dry_json(done: DryRound) -> dict[str, Any]:
    return {
        "operator": done.operator,
        "listed": done.listed,
        "comes_in": _entries_json(done.comes_in),
        "goes": _entries_json(done.goes),
        "changed": done.changed,
        "held": done.held,
        "stays_out": {rule.value: number for rule, number in done.stays_out.items()},
        "unread": done.unread,
        "requests": done.requests,
    }


def _entries_json(entries: Sequence[DryEntry]) -> list[dict[str, Any]]:
    return [_entry_json(each) for each in entries]


def _entry_json(entry: Entry | DryEntry) -> dict[str, Any]:
    return {
        "uid": entry.uid,
        "subject": entry.subject,
        "start": instant(entry.start),
        "series": entry.is_series,
        "rule": entry.rule.value,
    }
