"""The forms of the people pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from keepstep.core.roles import Role

ROLES = (
    (Role.OPERATOR.value, _("operator: sees the calendars of the own access group")),
    (Role.ADMINISTRATOR.value, _("administrator: sees all but private details, changes settings")),
    (Role.AUDITOR.value, _("auditor: sees the health, never appointments")),
)
MOST_AT_ONCE = 500


class RoleForm(forms.Form):
    """What somebody may do."""

    role = forms.ChoiceField(
        label=_("Role"), choices=ROLES, initial=Role.OPERATOR.value, widget=forms.RadioSelect
    )


class InviteForm(RoleForm):
    """E-mail addresses, and what they may do."""

    emails = forms.CharField(
        label=_("E-mail addresses"),
        help_text=_("One on each line. An operator's address must be that of a known operator."),
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("emails", "role")

    def clean_emails(self) -> list[str]:
        """Give the addresses, each once, in the order given."""
        words = self.cleaned_data["emails"].replace(",", " ").replace(";", " ").split()
        found = list({each.lower(): each for each in words}.values())
        if len(found) > MOST_AT_ONCE:
            raise forms.ValidationError(
                _("At most %(count)d at once."), params={"count": MOST_AT_ONCE}
            )
        return found


class GroupForm(forms.Form):
    """An access group whose operators are to be invited."""

    group = forms.ChoiceField(label=_("Access group"))

    def __init__(self, groups: Sequence[tuple[str, int]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, _with_count(name, count)) for name, count in groups]
        self.fields["group"].choices = choices  # type: ignore[attr-defined]


def _with_count(name: str, count: int) -> str:
    words = ngettext("%(name)s: %(count)d operator", "%(name)s: %(count)d operators", count)
    return words % {"name": name, "count": count}
