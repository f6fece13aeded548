"""The settings of Django: how the parts are put together. What a user sets is elsewhere."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from keepstep import __version__, environment

SECRET_KEY = sha256(b"django:" + environment.secret_key()).hexdigest()
DEBUG = False
# No address is made from a request's Host header but where the person who asks is the one who
# follows it: see keepstep.web.site.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "keepstep.web.urls"
DATABASES = {"default": environment.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG = None
# auth.W004: the address is unique by a constraint that ignores its case.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

INSTALLED_APPS = [
    "keepstep.store.apps.StoreConfig",
    "keepstep.web.apps.WebConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    "keepstep.web.single_sign_on.apps.AllauthAccount",
    "keepstep.web.single_sign_on.apps.AllauthSocialAccount",
]
MIDDLEWARE = [
    "keepstep.web.headers.SecurityHeaders",
    "keepstep.web.static_files.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "keepstep.web.language.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "keepstep.web.access.AccessMiddleware",
    "keepstep.web.failures.FailureMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.template.context_processors.csrf",
                "django.contrib.messages.context_processors.messages",
                "keepstep.web.navigation.navigation",
            ],
            "builtins": ["keepstep.web.templatetags.keepstep_web"],
        },
    }
]
FORM_RENDERER = "keepstep.web.forms.Renderer"

# Signing in. Every cookie is HttpOnly and SameSite; those sent over https are marked secure by
# SecurityHeaders, since only the request tells.
AUTH_USER_MODEL = "store.Account"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email",)},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
SESSION_ENGINE = "keepstep.store.sessions"
SESSION_COOKIE_NAME = "keepstep_session"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "keepstep_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "keepstep.web.failures.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_HANDLER = "keepstep.web.accounts.attempts.Attempts"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], ["ip_address"]]
AXES_USERNAME_CALLABLE = "keepstep.web.accounts.attempts.username"
AXES_CLIENT_IP_CALLABLE = "keepstep.web.accounts.attempts.machine"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]
AXES_USERNAME_FORM_FIELD = "username"
AXES_LOCKOUT_CALLABLE = "keepstep.web.accounts.sign_in.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

# Single sign-on: how django-allauth asks for what is set, and that it keeps no tables.
MIGRATION_MODULES = {"account": None, "socialaccount": None}
SOCIALACCOUNT_ADAPTER = "keepstep.web.single_sign_on.provider.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}

# What a page is read and written with.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 12_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
STATIC_URL = f"/static/{__version__}/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
USE_I18N = True
