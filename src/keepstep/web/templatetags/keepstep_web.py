"""What templates need beyond Django's own: icons, ages, words for a status."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

register = template.Library()
_ICONS = Path(__file__).parent.parent / "static" / "vendor" / "icons"
_GIVEN = re.compile(r' (?:class|width|height|xmlns)="[^"]*"')
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TENTHS_BELOW = 10


@register.simple_tag
def icon(name: str) -> SafeString:
    """Give one of our icons as inline SVG, hidden from readers of the screen."""
    return _icon(name)


@cache
def _icon(name: str) -> SafeString:
    drawing = (_ICONS / f"{name}.svg").read_text(encoding="utf-8")
    start = drawing.index("<svg") + len("<svg")
    head, _end, rest = " ".join(drawing[start:].split()).partition(">")
    # Its size and class are ours to say. The file is ours too, taken in at the build.
    inner = f"{_GIVEN.sub('', head)}>{rest}"
    return mark_safe(  # noqa: S308
        f'<svg class="icon" aria-hidden="true" focusable="false"{inner}'
    )


@register.filter
def age(moment: datetime | None, now: datetime | None = None) -> str:
    """Give how long ago an instant was, in words: "5 minutes ago"; "" for None."""
    if moment is None:
        return ""
    seconds = int(((now or datetime.now(UTC)) - moment).total_seconds())
    if seconds < 0:
        return _("in a moment") if seconds > -_MINUTE else _("in %s") % duration(-seconds)
    if seconds < _MINUTE:
        return _("just now")
    return _("%s ago") % duration(seconds)


@register.filter
def duration(seconds: float | None) -> str:
    """Give a length of time in its largest unit: "3 hours"; "" for None."""
    if seconds is None:
        return ""
    whole = int(seconds)
    if whole < _MINUTE:
        return ngettext("%d second", "%d seconds", whole) % whole
    if whole < _HOUR:
        return ngettext("%d minute", "%d minutes", whole // _MINUTE) % (whole // _MINUTE)
    if whole < _DAY:
        return ngettext("%d hour", "%d hours", whole // _HOUR) % (whole // _HOUR)
    return ngettext("%d day", "%d days", whole // _DAY) % (whole // _DAY)


@register.filter
def brief(seconds: float | None) -> str:
    """Give a length of time as `duration`, a short one to a tenth: "0.7 s"; "" for None."""
    if seconds is None:
        return ""
    if seconds >= _MINUTE:
        return duration(seconds)
    return _("%s s") % number_format(seconds, 1 if seconds < _TENTHS_BELOW else 0)


WAY_WORDS = {
    "push": gettext_noop("push"),
    "streaming": gettext_noop("streaming"),
    "polling": gettext_noop("polling"),
}


@register.simple_tag
def way(name: str) -> str:
    """Give a way of delivery in words."""
    return _(WAY_WORDS[str(name)])


@register.simple_tag
def moment(instant: datetime | None, time_zone: str = "UTC") -> SafeString | str:
    """Give an instant as its age, with date, time and zone to be seen on pointing at it."""
    if instant is None:
        return "-"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        instant.astimezone(UTC).isoformat(),
        f"{local(instant, time_zone)} {time_zone}",
        age(instant),
    )


@register.simple_tag
def local(instant: datetime, time_zone: str = "UTC") -> str:
    """Give an instant as date and time in a zone: "2026-11-24 09:00"."""
    try:
        zone: tzinfo = ZoneInfo(time_zone)
    except (ValueError, OSError):
        zone = UTC
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"


STATUS_WORDS = {
    "off": ("off", "muted"),
    "waiting": ("waiting", "info"),
    "in_step": ("in step", "good"),
    "retrying": ("retrying", "warning"),
    "failed": ("failed", "bad"),
    "ok": ("ok", "good"),
    "warning": ("warning", "warning"),
    "skipped": ("skipped", "muted"),
}


@register.simple_tag
def status_badge(status: str) -> SafeString:
    """Give a status in its colour and, for those who see none, in its word."""
    word, tone = STATUS_WORDS.get(str(status), (str(status), "muted"))
    return format_html('<span class="badge badge-{}">{}</span>', tone, _(word))
