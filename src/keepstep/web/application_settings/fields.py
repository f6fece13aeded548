"""The fields of the settings forms: the words that stand beside each setting.

The names of the first seven are those of the predecessor, so that its administrators find them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from keepstep.core.appointment import Sensitivity, ShowAs
from keepstep.core.delivery import Delivery
from keepstep.core.skip import PrivateAppointments
from keepstep.store.setting_rules import MailSecurity, SignIn, Version


@dataclass(frozen=True, slots=True)
class Words:
    """What stands beside a setting: its label, help, and for a choice the words of each value.

    `kind` is the input: `text`, `switch`, `number`, `url`, `choice`, `several`, `secret`, `list`.
    """

    label: Any
    help: Any = ""
    kind: str = "text"
    choices: tuple[tuple[str, Any], ...] = ()


FIELDS: dict[str, Words] = {
    "calendar_integration": Words(
        _("Microsoft Exchange calendar integration"),
        _("While this is off nothing is read from Exchange, whatever the jobs say."),
        "switch",
    ),
    "exchange_url": Words(
        _("Exchange URL"),
        _("The address of Exchange Web Services: https://HOST/EWS/Exchange.asmx"),
        "url",
    ),
    "exchange_version": Words(
        _("Exchange version"),
        _("Of the server. An older one than it has is fine; a newer one is refused by it."),
        "choice",
        tuple((each.value, each.value.replace("Exchange", "Exchange ")) for each in Version),
    ),
    "batch_size": Words(
        _("Batch size"),
        _("How many appointments one request asks for, from 1 to 512."),
        "number",
    ),
    "notification_url": Words(
        _("Notification URL"),
        _("The address (scheme, host, port) at which Exchange reaches this server."),
        "url",
    ),
    "delivery": Words(
        _("How changes come to be known"),
        _("Whatever is chosen, polling remains the safety net."),
        "choice",
        (
            (Delivery.AUTOMATIC.value, _("Automatic: the best way that the network allows")),
            (Delivery.PUSH.value, _("Push: Exchange calls the notification URL")),
            (Delivery.STREAMING.value, _("Streaming: over connections from here to Exchange")),
            (Delivery.POLLING.value, _("Polling: as the job's schedule says")),
        ),
    ),
    "safety_poll": Words(
        _("Safety poll (min)"),
        _("While Exchange tells of changes, each mailbox is polled once in so many minutes."),
        "number",
    ),
    "notification_frequency": Words(
        _("Notification frequency (min)"),
        _("After so many minutes of failure an e-mail is sent and Keepstep tries less often."),
        "number",
    ),
    "notify_sync_failure_to": Words(
        _("Notify sync failure to"),
        _("E-mail addresses, separated by semicolons."),
        "list",
    ),
    "auth": Words(
        _("Sign-in"),
        _("How the service account signs in to Exchange."),
        "choice",
        (
            (SignIn.BASIC.value, _("Basic: user name and password")),
            (SignIn.NTLM.value, _("NTLM: a Windows account")),
            (SignIn.NEGOTIATE.value, _("Negotiate: Kerberos, else NTLM")),
            (SignIn.OAUTH.value, _("OAuth: client credentials")),
        ),
    ),
    "username": Words(_("User name"), _("Of the service account that may impersonate.")),
    "password": Words(_("Password"), "", "secret"),
    "oauth_authority": Words(_("OAuth sign-in service"), "", "url"),
    "oauth_tenant": Words(_("OAuth tenant"), _("Its id or name.")),
    "oauth_client_id": Words(_("OAuth client id")),
    "oauth_client_secret": Words(_("OAuth client secret"), "", "secret"),
    "oauth_scope": Words(_("OAuth scope"), _("What the token is for: https://HOST/.default")),
    "past_days": Words(
        _("Days of the past"),
        _("How far back the first round reaches. It takes hold at the next full round."),
        "number",
    ),
    "private_appointments": Words(
        _("Private appointments"),
        _("What is kept of them. Stricter takes hold at once, on what is stored too."),
        "choice",
        (
            (PrivateAppointments.BUSY_ONLY.value, _("Busy only: when, but not what")),
            (PrivateAppointments.SKIP.value, _("Skip: nothing of them")),
            (PrivateAppointments.FULL.value, _("Full: all, shown to their owner alone")),
        ),
    ),
    "skip_categories": Words(
        _("Categories"), _("Of one of these categories; several are separated by semicolons.")
    ),
    "skip_subject_contains": Words(
        _("Subject contains"),
        _("One of these words, in any case; several are separated by semicolons."),
    ),
    "skip_show_as": Words(
        _("Shown as"),
        "",
        "several",
        (
            (ShowAs.FREE.value, _("free")),
            (ShowAs.TENTATIVE.value, _("tentative")),
            (ShowAs.BUSY.value, _("busy")),
            (ShowAs.OUT_OF_OFFICE.value, _("out of office")),
            (ShowAs.WORKING_ELSEWHERE.value, _("working elsewhere")),
            (ShowAs.NO_DATA.value, _("no data")),
        ),
    ),
    "skip_sensitivities": Words(
        _("Sensitivity"),
        "",
        "several",
        (
            (Sensitivity.NORMAL.value, _("normal")),
            (Sensitivity.PERSONAL.value, _("personal")),
            (Sensitivity.PRIVATE.value, _("private")),
            (Sensitivity.CONFIDENTIAL.value, _("confidential")),
        ),
    ),
    "skip_declined": Words(_("Declined by the operator"), "", "switch"),
    "skip_all_day": Words(_("All-day appointments"), "", "switch"),
    "allow_plain_http": Words(
        _("Allow passwords over plain http"),
        _("Anybody on the way could read them. Only for a trial."),
        "switch",
    ),
    "connections": Words(
        _("Connections at once"),
        _("To the Exchange server. Empty: 8 for Exchange 2010, else 20."),
        "number",
    ),
    "timeout_seconds": Words(_("Seconds that an answer may take"), "", "number"),
    "ca_file": Words(
        _("Certificates of a private authority"),
        _("The path of a PEM file on this server. Empty: those of the system."),
    ),
    "http_proxy": Words(
        _("Proxy"),
        _("On the way out, to Exchange and the sign-in service: http://HOST:PORT"),
        "url",
    ),
    "site_url": Words(
        _("Address of these pages"),
        _("As people reach them, for links in e-mails: https://keepstep.example.com"),
        "url",
    ),
    "smtp_host": Words(_("Mail server")),
    "smtp_port": Words(_("Port"), _("Empty: 25, 587 with STARTTLS, 465 with TLS."), "number"),
    "smtp_security": Words(
        _("Encryption"),
        "",
        "choice",
        (
            (MailSecurity.NONE.value, _("None")),
            (MailSecurity.STARTTLS.value, "STARTTLS"),
            (MailSecurity.TLS.value, "TLS"),
        ),
    ),
    "smtp_username": Words(_("User name"), _("Empty: no sign-in.")),
    "smtp_password": Words(_("Password"), "", "secret"),
    "smtp_from": Words(_("Sender"), _("The e-mail address that the e-mails come from.")),
    "sso_issuer": Words(
        _("Issuer"),
        _("The sign-in service's own name: https://login.microsoftonline.com/TENANT/v2.0"),
        "url",
    ),
    "sso_client_id": Words(_("Client id"), _("Of this application, as it is registered there.")),
    "sso_client_secret": Words(_("Client secret"), "", "secret"),
    "sso_name": Words(
        _("Name"), _("On the button of the sign-in page. Empty: the host of the issuer.")
    ),
    "sso_scope": Words(_("Scope"), _("What is asked for; openid must be in it.")),
    "sso_email_claim": Words(
        _("Claim of the e-mail address"),
        _("By it an account is found at the first sign-in; from then on by the identity there."),
    ),
    "sso_trust_email": Words(
        _("Trust addresses that are not said to be verified"),
        _("Only where the service's administrators alone decide on addresses, as in one tenant."),
        "switch",
    ),
    "sso_create": Words(
        _("Make accounts for newcomers"),
        _("Whoever has a role by the claims below gets one; without them, whoever is an operator."),
        "switch",
    ),
    "sso_passwords": Words(
        _("Passwords let in, too"),
        _("Can be off once an administrator has signed in by single sign-on."),
        "switch",
    ),
    "sso_role_claim": Words(
        _("Claim of the role"),
        _("Such as roles, groups or realm_access.roles. Empty: roles are given here alone."),
    ),
    "sso_administrators": Words(
        _("Values for administrators"), _("Several are separated by semicolons.")
    ),
    "sso_operators": Words(_("Values for operators"), _("Several are separated by semicolons.")),
    "sso_auditors": Words(_("Values for auditors"), _("Several are separated by semicolons.")),
    "sso_group_claim": Words(
        _("Claim of the access group"), _("It becomes the operator's. Empty: it stays as it is.")
    ),
    "history_days": Words(
        _("Days that history is kept"), _("What explain can tell, and what was removed."), "number"
    ),
    "run_days": Words(_("Days that runs are kept"), "", "number"),
    "api_requests_per_minute": Words(
        _("Requests in a minute"), _("That one token of the API may make."), "number"
    ),
    "webhook_private_targets": Words(
        _("Webhooks may lead into this network"),
        _("To private addresses and to this machine. Off: only to public ones."),
        "switch",
    ),
    "past_keep_days": Words(
        _("Days that past appointments are kept"), _("Empty: for ever."), "number"
    ),
}

EXCHANGE = (
    "calendar_integration",
    "exchange_url",
    "exchange_version",
    "batch_size",
    "notification_url",
    "notification_frequency",
    "notify_sync_failure_to",
    "delivery",
    "safety_poll",
)
ACCOUNT = (
    "auth",
    "username",
    "password",
    "oauth_tenant",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_scope",
    "oauth_authority",
)
MAIL = (
    "smtp_host",
    "smtp_port",
    "smtp_security",
    "smtp_username",
    "smtp_password",
    "smtp_from",
    "site_url",
)
LIMITS = (
    "connections",
    "timeout_seconds",
    "ca_file",
    "http_proxy",
    "allow_plain_http",
)
SIGN_ON = (
    "sso_issuer",
    "sso_client_id",
    "sso_client_secret",
    "sso_name",
    "sso_scope",
)
WHO = ("sso_email_claim", "sso_trust_email", "sso_create", "sso_passwords")
ROLES = (
    "sso_role_claim",
    "sso_administrators",
    "sso_operators",
    "sso_auditors",
    "sso_group_claim",
)
RETENTION = ("history_days", "run_days", "past_keep_days")
OTHERS = ("api_requests_per_minute", "webhook_private_targets")
APPOINTMENTS = ("past_days", "private_appointments")
SKIP = (
    "skip_declined",
    "skip_all_day",
    "skip_show_as",
    "skip_sensitivities",
    "skip_categories",
    "skip_subject_contains",
)
