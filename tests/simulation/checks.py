"""What must hold when all is calm again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from keepstep.core.schedule import Status, status
from keepstep.store.models import Mail, Mailbox, Notice, NoticeEntry, Quarantine
from keepstep.store.notices import FAILURE, RECOVERY
from keepstep.sync.verify import Verification
from tests.simulation.truth import Happening, Key, Truth, shown
from tests.simulation.watch import Watch, wrongly_told

if TYPE_CHECKING:
    from tests.simulation.engine import Engine
    from tests.simulation.story import Story

_NEVER = datetime.min.replace(tzinfo=UTC)


def boundary(truth: Truth) -> datetime:
    """Give the instant up to which the past stands: last success, in a first round the cutoff."""
    mailbox = Mailbox.objects.get(pk=truth.id)
    return mailbox.last_success or mailbox.cutoff or _NEVER


def compare(truth: Truth, ahead_of: datetime, began: datetime, watch: Watch) -> list[str]:
    """Give each difference between a sales calendar and what it must be.

    `ahead_of` is the boundary of the mailbox's last round: what ends after it must equal what is
    in Exchange. `began` is when the story did: older appointments come in by the cutoff.
    What `watch` saw set aside may be over before it could be read.
    """
    listed = shown(truth.id, truth.window)
    found = [
        f"{key} is shown {n} times" for key, n in Counter(k for k, _ in listed).items() if n > 1
    ]
    calendar = {key: each for key, each in listed if truth.window.holds(each)}
    present = {key: each for key, each in truth.present().items() if truth.window.holds(each)}
    found += _upcoming(calendar, present, ahead_of)
    found += _past(truth, calendar, watch.half_read)
    late = truth.uids_of(watch.set_aside)
    on_time = {key: each for key, each in present.items() if key[0] not in late}
    found += _unchanged(truth, calendar, on_time, began)
    found += [
        f"{key} is private and shown as {each}"
        for key, each in calendar.items()
        if key[0] in truth.private_now() and each != each.masked()
    ]
    return [f"{truth.mailbox.email}: {each}" for each in found]


def _upcoming(
    calendar: dict[Key, Happening], present: dict[Key, Happening], ahead_of: datetime
) -> list[str]:
    found = []
    for key in sorted(calendar.keys() | present.keys(), key=str):
        is_, must = calendar.get(key), present.get(key)
        ahead = (is_ is not None and is_.end > ahead_of) or (
            must is not None and must.end > ahead_of
        )
        if ahead and is_ != must:
            found.append(f"{key} upcoming (after {ahead_of}): shown {is_}, in Exchange {must}")
    return found


def _past(truth: Truth, calendar: dict[Key, Happening], half_read: Container[str]) -> list[str]:
    """What is shown was once so in Exchange; what has been private may be masked.

    Of a series that was half read an occurrence may be over with the details of the series.
    """
    found = []
    for key, each in calendar.items():
        versions = {version.happening for version in truth.versions.get(key, ())}
        if key[0] in truth.ever_private:
            versions |= {version.masked() for version in versions if version is not None}
        if key[0] in half_read:
            times = {(version.start, version.end) for version in versions if version is not None}
            known = (each.start, each.end) in times
        else:
            known = each in versions
        if not known:
            found.append(f"{key} never was as it is shown: {each}")
    return found


def _unchanged(
    truth: Truth, calendar: dict[Key, Happening], present: dict[Key, Happening], began: datetime
) -> list[str]:
    """What never changed is shown exactly if it was ahead when it was made, or in the cutoff."""
    cutoff = Mailbox.objects.get(pk=truth.id).cutoff
    assert cutoff is not None
    found = []
    for key, must in present.items():
        born = truth.born[key[0]]
        if key[0] in truth.touched:
            continue
        if must.end > (cutoff if born <= began else born):
            if calendar.get(key) != must:
                found.append(f"{key} never changed: shown {calendar.get(key)}, is {must}")
        elif must.end <= cutoff and key in calendar:
            found.append(f"{key} was over before the cutoff {cutoff} and is shown")
    return found


@dataclass(frozen=True, slots=True)
class Recent:
    """What a mailbox showed at an instant of the story and was over by its last success then."""

    truth: Truth
    at: datetime
    last_success: datetime
    over: dict[Key, Happening]


def look(truth: Truth, at: datetime) -> Recent:
    """Take down what is shown and over."""
    last = Mailbox.objects.get(pk=truth.id).last_success
    if last is None:
        return Recent(truth, at, _NEVER, {})
    over = {key: each for key, each in shown(truth.id, truth.window) if each.end <= last}
    return Recent(truth, at, last, over)


def stands(recent: Recent) -> list[str]:
    """Give what was over and does not stand any more, though nothing carried it into the future."""
    truth = recent.truth
    calendar = dict(shown(truth.id, truth.window))
    found = []
    for key, was in recent.over.items():
        moved = any(
            version.at >= recent.last_success
            and version.happening is not None
            and version.happening.end > recent.last_success
            for version in truth.versions.get(key, ())
        )
        allowed = {was, was.masked(), None} if key[0] in truth.ever_private else {was}
        if not moved and calendar.get(key) not in allowed:
            found.append(
                f"{truth.mailbox.email}: {key} was over on {recent.at} as {was},"
                f" and is now {calendar.get(key)}"
            )
    return found


async def idle_rounds(story: Story, engine: Engine) -> list[str]:
    """Where nothing changed, a round is one request and the comparison after it another.

    Then all are in step, since just before that round, and no drift is found.
    """
    before = story.clock()
    requests = story.watch.requests.copy()
    verification = await comparison(engine)
    found = [f"drift: {each}" for each in verification.drift]
    found += [f"still set aside: {each}" for each in Quarantine.objects.order_by("id")]
    for row in Mailbox.objects.select_related("operator").order_by("id"):
        email = row.operator.email
        asked = story.watch.requests[email] - requests[email]
        if asked != 2:
            found.append(f"{email}: an idle round and a comparison ask {asked} times")
        if row.last_success is None or not before <= row.last_success <= story.clock():
            found.append(f"{email}: last success {row.last_success}, polled after {before}")
        now = status(
            enabled=row.operator.calendar_sync,
            last_success=row.last_success,
            failing_since=row.failing_since,
            now=story.clock(),
            notification_frequency=engine.settings.notification_frequency,
        )
        if now is not Status.IN_STEP or row.failure_code or row.unsettled or row.in_full_round:
            found.append(f"{email}: {now} {row.failure_code} {row.unsettled} {row.in_full_round}")
    return found


async def comparison(engine: Engine) -> Verification:
    """Compare all mailboxes with Exchange, mending what differs; give what was found."""
    verification = Verification()
    await engine.tick(verification=verification)
    return verification


def told(watch: Watch) -> list[str]:
    """E-mails equal episodes: each that lasted is named once, and each e-mail is taken back."""
    named = list(NoticeEntry.objects.values_list("mailbox_id", "since"))
    opened, closed = Notice.objects.count(), Notice.objects.exclude(closed=None).count()
    mails = Counter(Mail.objects.values_list("kind", flat=True))
    found = wrongly_told(named, watch)
    if len(named) != len(set(named)):
        found.append(f"an episode is named twice: {named}")
    if opened != closed or mails != Counter({FAILURE: opened, RECOVERY: opened}):
        found.append(f"{opened} notices, {closed} over, e-mails {dict(mails)}")
    return found
