"""What Prometheus reads: numbers of the whole, and of each mailbox, without naming anyone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from keepstep import __version__
from keepstep.api import metrics as api
from keepstep.store import measures, webhooks
from keepstep.store.orders import Lane
from keepstep.web.access import methods, public


@public
@methods("GET")
def whole(request: HttpRequest) -> HttpResponse:
    """Answer with the numbers of the whole, in Prometheus' text format."""
    return _answer(_of_whole(measures.measures(datetime.now(UTC))))


@public
@methods("GET")
def mailboxes(request: HttpRequest) -> HttpResponse:
    """Answer with way, delay and age of each mailbox, by the number of its operator."""
    return _answer(_of_mailboxes(measures.of_mailboxes(datetime.now(UTC))))


class _Once:
    """Gives the same metrics at each collection: they were worked out for this answer."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _answer(metrics: Iterable[Metric]) -> HttpResponse:
    registry = CollectorRegistry()
    registry.register(_Once(metrics))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _of_whole(found: measures.Measures) -> Iterable[Metric]:
    whole, fresh = found.whole, found.whole.freshness
    yield InfoMetricFamily("keepstep", "The version that answers.", {"version": __version__})
    yield _by("keepstep_mailboxes", "Mailboxes by sync status.", "status", whole.statuses)
    yield _by("keepstep_mailboxes_by_way", "Those in step, by way of delivery.", "way", whole.ways)
    yield _by("keepstep_failing_mailboxes", "Mailboxes by failure.", "code", found.failing)
    alive = [each for each in whole.workers if each.alive]
    by_version = Counter(each.version for each in alive)
    yield _by("keepstep_workers", "Processes at work together, by version.", "version", by_version)
    yield from _of_lanes(whole.lanes)
    out = {each.way.value: 1.0 for each in whole.troubles}
    yield _by("keepstep_way_out", "1 for a way of delivery that does not serve.", "way", out)
    for name, words, value in (
        (
            "behind_slowest_seconds",
            "Since the slowest mailbox was in step.",
            fresh.slowest,
        ),
        ("behind_most_seconds", "Within which 99 of 100 mailboxes were.", fresh.most),
        ("delay_most_seconds", "From change to row, for 99 of 100 told of.", whole.delay),
        ("shards_in_hand", "Shards that workers have in hand.", sum(e.shards for e in alive)),
        ("overtaken_writes", "Refused writes of those alive.", sum(e.overtaken for e in alive)),
        ("rounds_per_minute", "Rounds of mailboxes.", whole.rounds_per_minute),
        ("appointments", "Rows in the sales calendar.", whole.appointments),
        ("held_removals", "Removals that wait for a person.", found.held),
        ("quarantined_items", "Items that can't be read.", found.quarantined),
        ("mails_waiting", "E-mails that wait to be sent.", found.mails_waiting),
    ):
        if value is not None:
            yield GaugeMetricFamily(f"keepstep_{name}", words, float(value))
    waiting, dead = webhooks.counts()
    deliveries = {"waiting": float(waiting), "given up": float(dead)}
    yield _by("keepstep_webhook_deliveries", "What webhooks did not take.", "state", deliveries)
    yield from api.families()


def _of_lanes(lanes: Iterable[Lane]) -> Iterable[Metric]:
    waiting = {each.name: float(each.waiting) for each in lanes}
    in_hand = {each.name: float(each.in_hand) for each in lanes}
    oldest = {each.name: each.oldest for each in lanes}
    if waiting:
        yield _by("keepstep_shards_waiting", "Shards that wait for a worker.", "lane", waiting)
        yield _by("keepstep_shards_taken", "Shards taken from the queue.", "lane", in_hand)
        yield _by("keepstep_shard_wait_seconds", "Wait of the oldest shard.", "lane", oldest)


def _by(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _of_mailboxes(found: Iterable[measures.MailboxMeasure]) -> Iterable[Metric]:
    labels = ["operator", "way"]
    behind = GaugeMetricFamily(
        "keepstep_mailbox_polled_seconds", "Since its last round succeeded.", labels=labels
    )
    delay = GaugeMetricFamily(
        "keepstep_mailbox_delay_seconds", "From its last change to the row.", labels=labels
    )
    for each in found:
        values = [str(each.operator), each.way.value]
        behind.add_metric(values, each.behind)
        if each.delay is not None:
            delay.add_metric(values, each.delay)
    return behind, delay
