"""The application settings as they are stored: reading, changing, showing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from keepstep import environment
from keepstep.core.appointment import Sensitivity, ShowAs
from keepstep.core.delivery import Delivery
from keepstep.core.errors import UsageError
from keepstep.core.skip import Conditions, Policy, PrivateAppointments
from keepstep.store import audit
from keepstep.store.certificates import check_certificates
from keepstep.store.fields import did_you_mean, sentence, shown
from keepstep.store.models import Mailbox, Setting
from keepstep.store.secrets import decrypt, encrypt
from keepstep.store.setting_rules import (
    LONGEST_VALUE,
    MICROSOFT,
    RULES,
    MailSecurity,
    Rule,
    SignIn,
    Value,
    Version,
    is_loopback,
    write,
)

LIMIT_OF_2010 = 8
LIMIT = 20
# Where a secret may come from instead of the store: the names of variables, no secrets.
VARIABLES = {
    "password": "KEEPSTEP_PASSWORD",
    "oauth_client_secret": "KEEPSTEP_OAUTH_CLIENT_SECRET",
    "smtp_password": "KEEPSTEP_SMTP_PASSWORD",
    "sso_client_secret": "KEEPSTEP_SSO_CLIENT_SECRET",
}
# What decides whether Exchange lets us in: changed, what failed may be mended.
_OF_ACCESS = frozenset(
    {
        "allow_plain_http",
        "auth",
        "ca_file",
        "calendar_integration",
        "exchange_url",
        "exchange_version",
        "http_proxy",
        "oauth_authority",
        "oauth_client_id",
        "oauth_client_secret",
        "oauth_scope",
        "oauth_tenant",
        "password",
        "username",
    }
)
# The conditions of IsSkipAppointment.
SKIP = frozenset(
    {
        "skip_all_day",
        "skip_categories",
        "skip_declined",
        "skip_sensitivities",
        "skip_show_as",
        "skip_subject_contains",
    }
)
_AT_FULL_ROUND = "takes hold at the next full round (keepstep sync --full)"
_STRICTNESS = [PrivateAppointments.FULL, PrivateAppointments.BUSY_ONLY, PrivateAppointments.SKIP]


@dataclass(frozen=True, slots=True)
class ApplicationSettings:
    """All settings, typed. Fields are named as the settings are; "" is: not set."""

    calendar_integration: bool = False
    exchange_url: str = ""
    exchange_version: Version = Version.EXCHANGE_2013
    batch_size: int = 100
    notification_url: str = ""
    site_url: str = ""
    delivery: Delivery = Delivery.AUTOMATIC
    safety_poll: int = 60
    notification_frequency: int = 30
    notify_sync_failure_to: tuple[str, ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    auth: SignIn = SignIn.BASIC
    oauth_authority: str = MICROSOFT
    oauth_tenant: str = ""
    oauth_client_id: str = ""
    oauth_client_secret: str = field(default="", repr=False)
    oauth_scope: str = ""
    past_days: int = 180
    private_appointments: PrivateAppointments = PrivateAppointments.BUSY_ONLY
    skip_categories: tuple[str, ...] = ()
    skip_show_as: tuple[ShowAs, ...] = ()
    skip_sensitivities: tuple[Sensitivity, ...] = ()
    skip_declined: bool = False
    skip_all_day: bool = False
    skip_subject_contains: tuple[str, ...] = ()
    allow_plain_http: bool = False
    connections: int | None = None
    timeout_seconds: int = 100
    ca_file: str = ""
    http_proxy: str = ""
    smtp_host: str = ""
    smtp_port: int | None = None
    smtp_security: MailSecurity = MailSecurity.NONE
    smtp_username: str = ""
    smtp_password: str = field(default="", repr=False)
    smtp_from: str = ""
    history_days: int = 90
    run_days: int = 30
    past_keep_days: int | None = None
    api_requests_per_minute: int = 600
    webhook_private_targets: bool = False
    sso_issuer: str = ""
    sso_client_id: str = ""
    sso_client_secret: str = field(default="", repr=False)
    sso_name: str = ""
    sso_scope: str = "openid email profile"
    sso_email_claim: str = "email"
    sso_trust_email: bool = False
    sso_role_claim: str = ""
    sso_administrators: tuple[str, ...] = ()
    sso_operators: tuple[str, ...] = ()
    sso_auditors: tuple[str, ...] = ()
    sso_group_claim: str = ""
    sso_create: bool = False
    sso_passwords: bool = True

    @property
    def connection_limit(self) -> int:
        """Give how many connections may be open to the server at once."""
        if self.connections is not None:
            return self.connections
        return LIMIT_OF_2010 if self.exchange_version is Version.EXCHANGE_2010 else LIMIT

    @property
    def policy(self) -> Policy:
        """Give what decides which appointments stay out, and how private ones are kept."""
        conditions = Conditions(
            categories=self.skip_categories,
            show_as=self.skip_show_as,
            sensitivities=self.skip_sensitivities,
            declined=self.skip_declined,
            all_day=self.skip_all_day,
            subject_contains=self.skip_subject_contains,
        )
        return Policy(self.past_days, self.private_appointments, conditions)


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting as a person may see it. `value` of a secret one is "set" or "not set".

    `origin` is `default`, `set` or `environment`.
    """

    name: str
    value: str
    origin: str
    help: str
    secret: bool

    @property
    def typed(self) -> str | int | None:
        """Give the value as JSON has it: numbers as numbers, all else as one would type it."""
        value = self.value if self.secret else RULES[self.name].read(self.value)
        return value if type(value) is int else self.value


def load(*, with_secrets: bool = True) -> ApplicationSettings:
    """Read the settings. Raises UsageError for a stored value that can't be used.

    Without secrets these are "", and a lost secret key does no harm.
    """
    values: dict[str, Any] = {name: _stored(RULES[name], text) for name, text in _texts().items()}
    for name, variable in VARIABLES.items():
        stored = values.pop(name, "")
        if with_secrets:
            given = environment.variable(variable)
            values[name] = given or (stored and decrypt(name, stored))
    return ApplicationSettings(**values)


def show() -> list[ShownSetting]:
    """Give every setting as a person may see it, in the order of their definition."""
    texts = _texts()
    return [_shown(rule, texts.get(rule.name)) for rule in RULES.values()]


def change(values: Mapping[str, str], *, by: str = audit.COMMAND_LINE) -> list[str]:
    """Change settings, all or none; an empty value sets one back. Gives notes for the person.

    `by` is who did it, for the audit.

    Where private appointments are to be kept less openly, what is stored is scrubbed in the same
    transaction; where conditions leave out more, it is taken out of the calendars. Raises
    UsageError that names every value that is refused.
    """
    checked = check(values)
    with transaction.atomic():
        if SKIP & checked.keys():
            _displace()
        before = load(with_secrets=False)
        _record(checked, by)
        for name, value in checked.items():
            _store(RULES[name], value)
        if _OF_ACCESS & checked.keys():
            _try_soon()
        return _follow_up(before, load(with_secrets=False))


def check(values: Mapping[str, str]) -> dict[str, Value]:
    """Give the typed values. Raises UsageError, one line that names each one refused."""
    checked, refused = _read_all(values)
    if refused:
        named = [f"{name} {why}" if name in RULES else why for name, why in refused.items()]
        raise UsageError(sentence(named))
    return checked


def problems(values: Mapping[str, str]) -> dict[str, str]:
    """Give, by setting, why its value is refused: words that go on from the setting's name."""
    return _read_all(values)[1]


def _read_all(values: Mapping[str, str]) -> tuple[dict[str, Value], dict[str, str]]:
    checked: dict[str, Value] = {}
    refused: dict[str, str] = {}
    for name, text in values.items():
        try:
            checked[name] = _read(name, text)
        except ValueError as error:
            refused[name] = str(error)
    return checked, refused


def check_enabled(settings: ApplicationSettings) -> None:
    """Raise UsageError if calendar integration is off."""
    if not settings.calendar_integration:
        raise UsageError(
            "calendar integration is off: keepstep settings set calendar_integration=on"
        )


def check_complete(settings: ApplicationSettings) -> None:
    """Raise UsageError naming what is missing, or not allowed, before Exchange can be read."""
    missing = [name for name in needed(settings.auth) if not getattr(settings, name)]
    if missing:
        example = " ".join(f"{name}={'-' if RULES[name].secret else '…'}" for name in missing)
        raise UsageError(f"not set: {', '.join(missing)}. keepstep settings set {example}")
    plain = urlsplit(settings.exchange_url).scheme == "http"
    if plain and not is_loopback(settings.exchange_url) and not settings.allow_plain_http:
        raise UsageError(
            "exchange_url is plain http, over which the password could be read on the way:"
            " use https, or set allow_plain_http=on."
        )


def needed(auth: SignIn) -> tuple[str, ...]:
    """Give the settings without which Exchange can't be read."""
    if auth is SignIn.OAUTH:
        oauth = ("oauth_tenant", "oauth_client_id", "oauth_client_secret", "oauth_scope")
        return ("exchange_url", *oauth)
    return ("exchange_url", "username", "password")


def _texts() -> dict[str, str]:
    stored = Setting.objects.filter(name__in=list(RULES))
    return dict(stored.values_list("name", "value"))


def _stored(rule: Rule, text: str) -> Value:
    try:
        return text if rule.secret else rule.read(text)
    except ValueError as error:
        raise UsageError(f"the stored {rule.name} {error}: set it again.") from None


def _shown(rule: Rule, text: str | None) -> ShownSetting:
    origin = "default" if text is None else "set"
    if not rule.secret:
        return ShownSetting(
            rule.name, rule.default if text is None else text, origin, rule.help, False
        )
    if environment.variable(VARIABLES[rule.name]):
        origin = "environment"
    value = "not set" if origin == "default" else "set"
    return ShownSetting(rule.name, value, origin, rule.help, True)


def _read(name: str, text: str) -> Value:
    rule = RULES.get(name)
    if rule is None:
        near = did_you_mean(name, RULES)
        hint = f" did you mean {near}?" if near else " keepstep settings show lists all"
        raise ValueError(f"no setting is called {shown(name)};{hint}")
    if len(text) > LONGEST_VALUE:
        raise ValueError(f"must have at most {LONGEST_VALUE} characters, not {len(text)}")
    value = rule.read(text)
    if name == "ca_file" and value:
        check_certificates(str(value))
    return value


def _store(rule: Rule, value: Value) -> None:
    text = write(value)
    if not text:
        Setting.objects.filter(name=rule.name).delete()
        return
    stored = encrypt(text) if rule.secret else text
    Setting.objects.update_or_create(name=rule.name, defaults={"value": stored})


def _record(checked: Mapping[str, Value], by: str) -> None:
    """Note in the audit what is about to change; of a secret only that it was set."""
    texts = _texts()
    old = {name: texts.get(name, RULES[name].default) for name in checked}
    new = {name: write(value) or RULES[name].default for name, value in checked.items()}
    changes = audit.differences(old, {name: new[name] for name in new if not RULES[name].secret})
    changes |= {name: audit.CHANGED for name in checked if RULES[name].secret}
    if changes:
        audit.record(by, "settings.change", "", changes)


def _follow_up(before: ApplicationSettings, after: ApplicationSettings) -> list[str]:
    if not after.sso_passwords:
        # Not at the top: it knows this module.
        from keepstep.store.single_sign_on import check_way_in

        check_way_in(before, after)
    notes = []
    if before.past_days != after.past_days:
        notes.append(f"past_days {_AT_FULL_ROUND}.")
    old, new = before.private_appointments, after.private_appointments
    if _STRICTNESS.index(new) < _STRICTNESS.index(old):
        notes.append(f"private_appointments {_AT_FULL_ROUND}.")
    elif new is not old:
        notes.append(_scrub(new))
    if before.policy.conditions != after.policy.conditions:
        notes.append(_take_hold(before.policy.conditions, after.policy.conditions))
    return notes


def _try_soon() -> None:
    """Let Exchange be tried at once, also where the same credentials were set again."""
    from keepstep.store import sign_ins

    sign_ins.forget()
    Mailbox.objects.exclude(next_attempt=None).update(next_attempt=None)


def _displace() -> None:
    """Take the mailboxes from all rounds under way: they would store by the old conditions."""
    Mailbox.objects.update(fence=F("fence") + 1)


def _take_hold(before: Conditions, after: Conditions) -> str:
    # Not at the top, as with scrubbing.
    from keepstep.store.skip_change import take_hold

    taken = take_hold(before, after, timezone.now())
    return (
        f"IsSkipAppointment: {taken.left_out} stored appointments were taken out of the calendars,"
        f" {taken.full_rounds} mailboxes are read whole at their next round."
    )


def _scrub(mode: PrivateAppointments) -> str:
    # Not at the top: a process that never tightens need not load what reads rows.
    from keepstep.store.scrub import scrub_private

    scrubbed = scrub_private(mode, timezone.now())
    return f"private_appointments: {scrubbed} stored appointments were scrubbed."
