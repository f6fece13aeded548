"""A form over some of the settings: shown as they are, checked by the settings' own rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _

from keepstep.core.errors import UsageError
from keepstep.store import settings
from keepstep.store.setting_rules import RULES
from keepstep.web.application_settings.fields import FIELDS, Words

_REMOVE = "remove-"


class SettingsForm(forms.Form):
    """The settings of these names. Saving changes all that differ, or none."""

    def __init__(self, names: Sequence[str], data: Mapping[str, Any] | None = None) -> None:
        shown = {each.name: each for each in settings.show()}
        self._before = {name: shown[name].value for name in names}
        super().__init__(data, initial=self._initial(names, shown))
        for name in names:
            self.fields[name] = _field(name, FIELDS[name], shown[name])
            if RULES[name].secret and shown[name].origin == "set":
                self.fields[_REMOVE + name] = forms.BooleanField(
                    label=_("Remove the stored one"), required=False
                )

    def clean(self) -> dict[str, Any]:
        """Ask each setting's rule; what it refuses is said at its field."""
        cleaned = super().clean() or {}
        for name, why in settings.problems(self._changed(cleaned)).items():
            self.add_error(name, f"{FIELDS[name].label} {_(why)}.")
        return cleaned

    def save(self, by: str) -> list[str]:
        """Store what was changed; give the notes for the person."""
        changed = self._changed(self.cleaned_data)
        if not changed:
            return []
        try:
            return settings.change(changed, by=by)
        except UsageError as error:
            self.add_error(None, str(error))
            raise

    def texts(self) -> dict[str, str]:
        """Give what was entered that differs from what is stored, as the settings read it."""
        return self._changed(self.cleaned_data)

    def _changed(self, cleaned: Mapping[str, Any]) -> dict[str, str]:
        changed = {}
        for name, before in self._before.items():
            if name not in cleaned:
                continue
            if RULES[name].secret:
                if cleaned.get(_REMOVE + name):
                    changed[name] = ""
                elif cleaned[name]:
                    changed[name] = cleaned[name]
                continue
            text = _text(cleaned[name])
            if not _same(name, text, before):
                changed[name] = text
        return changed

    @staticmethod
    def _initial(
        names: Sequence[str], shown: Mapping[str, settings.ShownSetting]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in names:
            if not RULES[name].secret:
                values[name] = _input(FIELDS[name], shown[name].value)
        return values


def _input(words: Words, value: str) -> Any:
    """Give a stored value as its input holds it."""
    if words.kind == "switch":
        return value == "on"
    if words.kind == "several":
        return [each.strip() for each in value.split(";") if each.strip()]
    return value


def _same(name: str, text: str, before: str) -> bool:
    """Say whether two texts mean the same to a setting; one that is refused is another."""
    try:
        return RULES[name].read(text) == RULES[name].read(before)
    except ValueError:
        return False


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ";".join(value)
    return str(value).strip()


def _field(name: str, words: Words, shown: settings.ShownSetting) -> forms.Field:
    checks = {
        "hx-post": reverse("settings-check", args=[name]),
        "hx-trigger": "change",
        "hx-target": f"#field-{name}",
        "hx-swap": "outerHTML",
        "spellcheck": "false",
    }
    common: dict[str, Any] = {"label": words.label, "help_text": words.help, "required": False}
    if words.kind == "switch":
        return forms.BooleanField(**common)
    if words.kind == "choice":
        return forms.ChoiceField(choices=words.choices, **common)
    if words.kind == "several":
        boxes = forms.CheckboxSelectMultiple
        return forms.MultipleChoiceField(choices=words.choices, widget=boxes, **common)
    if words.kind == "secret":
        common["help_text"] = _secret_help(shown)
        hidden = forms.PasswordInput(attrs={"autocomplete": "off", "placeholder": "••••••••"})
        return forms.CharField(strip=False, widget=hidden, **common)
    if words.kind == "list":
        return forms.CharField(widget=forms.Textarea(attrs={**checks, "rows": 2}), **common)
    widget = forms.TextInput(attrs=checks | _keyboard(words.kind))
    return forms.CharField(widget=widget, **common)


def _keyboard(kind: str) -> dict[str, str]:
    return {"number": {"inputmode": "numeric"}, "url": {"inputmode": "url"}}.get(kind, {})


def _secret_help(shown: settings.ShownSetting) -> str:
    if shown.origin == "environment":
        return _("Given by the environment of the server; what is entered here has no effect.")
    if shown.origin == "set":
        return _("One is stored, encrypted. Leave this empty to keep it.")
    return _("None is stored yet. It is encrypted, and never shown again.")
