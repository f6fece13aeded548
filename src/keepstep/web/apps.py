"""The Django application of the pages."""

import logging

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.db.models.signals import post_migrate


class WebConfig(AppConfig):
    """Registers templates, static files and translations."""

    name = "keepstep.web"
    label = "web"

    def ready(self) -> None:
        """Leave the tables of Django's permissions empty: roles decide (keepstep.web.access).

        What was asked wrongly is no event for the log: anybody could fill it so.
        """
        logging.getLogger("django.request").setLevel(logging.ERROR)
        logging.getLogger("django.security").setLevel(logging.ERROR)
        post_migrate.disconnect(
            create_permissions, dispatch_uid="django.contrib.auth.management.create_permissions"
        )
        post_migrate.disconnect(create_contenttypes)
