"""What Django is to know of django-allauth: where its modules belong, and nothing else.

Its models are imported where single sign-on is (`provider`), or by Django's templates, which look
for tags in all applications; not by every command. They have no tables here, as
`keepstep.store.models.Identity` is what is kept. Its pages, its checks and its middleware are not
used.
"""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models import DO_NOTHING, Model
from django.db.models.signals import class_prepared


class _WithoutModels(AppConfig):
    default_auto_field = "django.db.models.AutoField"

    def import_models(self) -> None:
        """Leave the models for later: what is registered by then is found here."""
        assert self.apps is not None
        self.models = self.apps.all_models[self.label]
        self.models_module = None
        class_prepared.connect(_without_table, dispatch_uid="keepstep.without_table")


class AllauthAccount(_WithoutModels):
    """django-allauth's accounts, which its single sign-on builds on."""

    name = "allauth.account"


class AllauthSocialAccount(_WithoutModels):
    """django-allauth's single sign-on."""

    name = "allauth.socialaccount"


def _without_table(sender: type[Model], **_: object) -> None:
    """Tell Django of a model of allauth that it has no table.

    With an account nothing is to be deleted there.
    """
    if not sender.__module__.startswith("allauth."):
        return
    sender._meta.managed = False
    for field in sender._meta.local_fields:
        if field.remote_field is not None:
            field.remote_field.on_delete = DO_NOTHING
