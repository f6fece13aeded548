"""What Django is to know of django-allauth: where its modules belong, and nothing else.

Its models are imported where single sign-on is (`provider`), not by every command; they have no
tables here, as `keepstep.store.models.Identity` is what is kept. Its pages, its checks and its
middleware are not used.
"""

from __future__ import annotations

from django.apps import AppConfig


class _WithoutModels(AppConfig):
    default_auto_field = "django.db.models.AutoField"

    def import_models(self) -> None:
        """Leave the models for later: what is registered by then is found here."""
        assert self.apps is not None
        self.models = self.apps.all_models[self.label]
        self.models_module = None


class AllauthAccount(_WithoutModels):
    """django-allauth's accounts, which its single sign-on builds on."""

    name = "allauth.account"


class AllauthSocialAccount(_WithoutModels):
    """django-allauth's single sign-on."""

    name = "allauth.socialaccount"
