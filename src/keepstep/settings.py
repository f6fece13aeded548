"""The settings of Django: how the parts are put together. What a user sets is elsewhere."""

from __future__ import annotations

from hashlib import sha256

from keepstep import environment

SECRET_KEY = sha256(b"django:" + environment.secret_key()).hexdigest()
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["keepstep.store.apps.StoreConfig"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
ROOT_URLCONF = "keepstep.web.urls"
DATABASES = {"default": environment.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LOGGING_CONFIG = None
