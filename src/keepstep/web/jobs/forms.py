"""The form of a job: its schedule and its runtime context."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from keepstep.store.jobs import KINDS, SYSTEM
from keepstep.store.operators import access_groups


class JobForm(forms.Form):
    """Schedule and context of a job."""

    schedule = forms.CharField(
        label=_("Schedule"),
        help_text=_("Minutes between two runs (1 to 1440), or a cron line of five fields."),
        widget=forms.TextInput(
            attrs={
                "hx-get": reverse_lazy("jobs-next-runs"),
                "hx-trigger": "input changed delay:300ms",
                "hx-target": "#next-runs",
                "spellcheck": "false",
            }
        ),
    )
    context = forms.ChoiceField(
        label=_("Runtime context"),
        help_text=_("Whose calendars: of all operators, or of one access group."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = [(each, each) for each in access_groups() if each != SYSTEM]
        present = self.initial.get("context", SYSTEM)
        if present != SYSTEM and (present, present) not in groups:
            groups.append((present, present))
        choices = [(SYSTEM, _("system: all operators")), *groups]
        field = self.fields["context"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


class NewJobForm(JobForm):
    """A job to be added: its name and kind as well."""

    name = forms.CharField(label=_("Name"), max_length=60)
    kind = forms.ChoiceField(
        label=_("What it does"),
        choices=[
            (KINDS[0], _("CalendarSynchronization: brings changes into the sales calendar")),
            (KINDS[1], _("CalendarVerification: compares with Exchange and mends")),
        ],
    )
    enabled = forms.BooleanField(label=_("Enabled"), required=False)
    field_order = ("name", "kind", "schedule", "context", "enabled")
