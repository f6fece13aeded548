"""How forms look: each field with label, help and what is wrong with it, in one place."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Renders forms and fields by our own templates."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
