"""The application settings: what may be set, what is kept, what is shown."""

import pytest

from keepstep.core.errors import UsageError
from keepstep.core.skip import PrivateAppointments
from keepstep.store import settings
from keepstep.store.models import Setting
from keepstep.store.setting_rules import SignIn, Version

pytestmark = pytest.mark.usefixtures("database")

REFUSED = [
    ("batch_size", "0", "batch_size must be a whole number from 1 to 512, not '0'."),
    ("batch_size", "513", "batch_size must be a whole number from 1 to 512, not '513'."),
    ("batch_size", "many", "batch_size must be a whole number from 1 to 512, not 'many'."),
    ("batch_size", "", "batch_size must be a whole number from 1 to 512, not ''."),
    ("batch_size", "\u0667", "batch_size must be a whole number from 1 to 512, not '\u0667'."),
    (
        "exchange_version",
        "Exchange2007",
        "exchange_version must be one of Exchange2010, Exchange2013, Exchange2016, Exchange2019,"
        " ExchangeSE, not 'Exchange2007'.",
    ),
    ("exchange_url", "mail.example.com/EWS", "exchange_url must begin with https:// (or http://)."),
    (
        "exchange_url",
        "ftp://mail.example.com",
        "exchange_url must begin with https:// (or http://).",
    ),
    (
        "exchange_url",
        "https://svc:geheim@mail.example.com/",
        "exchange_url must not hold a user name or password.",
    ),
    (
        "exchange_url",
        "https://mail.example.com/?a=b",
        "exchange_url must have neither a query (?) nor a fragment (#).",
    ),
    ("exchange_url", "https:///EWS", "exchange_url must name a host after the scheme."),
    (
        "exchange_url",
        "https://mail.example.com/a b",
        "exchange_url must have no blanks, backslashes or control characters.",
    ),
    (
        "notify_sync_failure_to",
        "ops@example.com;nobody",
        "notify_sync_failure_to must be an e-mail address, not 'nobody'.",
    ),
    (
        "notification_frequency",
        "1441",
        "notification_frequency must be a whole number from 1 to 1440, not '1441'.",
    ),
    ("auth", "kerberos", "auth must be one of basic, ntlm, negotiate, oauth, not 'kerberos'."),
    (
        "private_appointments",
        "all",
        "private_appointments must be one of busy-only, skip, full, not 'all'.",
    ),
    (
        "calendar_integration",
        "maybe",
        "calendar_integration must be on or off (true or false), not 'maybe'.",
    ),
    ("bach_size", "7", "no setting is called 'bach_size'; did you mean batch_size?"),
    ("username", "a\x1b[31mb", "username must be one line without control characters."),
    (
        "http_proxy",
        "http://proxy.example.com:3128/x",
        "http_proxy must be of the form http://HOST:PORT, without a path.",
    ),
]


@pytest.mark.parametrize(("name", "value", "line"), REFUSED)
def test_a_wrong_value_is_refused_in_one_line_and_nothing_changes(name, value, line):
    with pytest.raises(UsageError) as refused:
        settings.change({"past_days": "30", name: value})
    assert str(refused.value) == line
    assert not Setting.objects.exists()


def test_every_wrong_value_is_named():
    with pytest.raises(UsageError) as refused:
        settings.change({"batch_size": "0", "auth": "none"})
    assert "batch_size must" in str(refused.value)
    assert "auth must" in str(refused.value)


def test_settings_that_nobody_changed_have_their_defaults():
    loaded = settings.load()
    assert loaded == settings.ApplicationSettings()
    assert (loaded.batch_size, loaded.past_days, loaded.notification_frequency) == (100, 180, 30)
    assert loaded.private_appointments is PrivateAppointments.BUSY_ONLY


def test_what_is_set_is_loaded_with_its_type():
    settings.change(
        {
            "calendar_integration": "yes",
            "exchange_url": " https://mail.example.com/EWS/Exchange.asmx ",
            "exchange_version": "exchange2010",
            "batch_size": "7",
            "notify_sync_failure_to": "a@example.com; b@example.com;",
            "auth": "NTLM",
        }
    )
    loaded = settings.load()
    assert loaded.calendar_integration is True
    assert loaded.exchange_url == "https://mail.example.com/EWS/Exchange.asmx"
    assert loaded.exchange_version is Version.EXCHANGE_2010
    assert loaded.batch_size == 7
    assert loaded.notify_sync_failure_to == ("a@example.com", "b@example.com")
    assert loaded.auth is SignIn.NTLM


def test_the_limit_of_connections_follows_the_version_unless_it_is_set():
    assert settings.load().connection_limit == 20
    settings.change({"exchange_version": "Exchange2010"})
    assert settings.load().connection_limit == 8
    settings.change({"connections": "3"})
    assert settings.load().connection_limit == 3
    settings.change({"connections": ""})
    assert settings.load().connection_limit == 8


def test_a_password_is_stored_encrypted_and_shown_only_as_set():
    settings.change({"password": "Größe 1; =x"})
    assert settings.load().password == "Größe 1; =x"
    assert "Größe" not in Setting.objects.get(name="password").value
    assert "Größe" not in repr(settings.load())
    shown = {each.name: each.value for each in settings.show()}
    assert shown["password"] == "set"
    settings.change({"password": ""})
    assert {each.name: each.value for each in settings.show()}["password"] == "not set"


def test_the_environment_gives_a_password_that_counts_before_the_stored_one(monkeypatch, tmp_path):
    settings.change({"password": "stored"})
    monkeypatch.setenv("KEEPSTEP_PASSWORD", "given")
    assert settings.load().password == "given"
    monkeypatch.delenv("KEEPSTEP_PASSWORD")
    (tmp_path / "password").write_text("from a file\n")
    monkeypatch.setenv("KEEPSTEP_PASSWORD_FILE", str(tmp_path / "password"))
    assert settings.load().password == "from a file"


def test_a_password_under_a_lost_key_is_said_plainly_and_can_be_set_again(monkeypatch):
    settings.change({"password": "old"})
    monkeypatch.setenv("KEEPSTEP_SECRET_KEY", "another key")
    with pytest.raises(UsageError, match="password: what is stored can't be decrypted"):
        settings.load()
    assert settings.load(with_secrets=False).batch_size == 100
    settings.change({"password": "new"})
    assert settings.load().password == "new"


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, "not set: exchange_url, username, password."),
        ({"exchange_url": "https://h/", "username": "svc"}, "not set: password."),
        (
            {"exchange_url": "https://h/", "username": "s", "password": "p", "auth": "oauth"},
            "not set: oauth_tenant, oauth_client_id, oauth_client_secret, oauth_scope."
            " keepstep settings set oauth_tenant=… oauth_client_id=… oauth_client_secret=-"
            " oauth_scope=…",
        ),
        (
            {"exchange_url": "http://mail.example.com/", "username": "s", "password": "p"},
            "exchange_url is plain http",
        ),
    ],
)
def test_what_is_missing_or_not_allowed_is_named_before_exchange_is_read(values, line):
    settings.change(values)
    with pytest.raises(UsageError) as refused:
        settings.check_complete(settings.load())
    assert str(refused.value).startswith(line)


@pytest.mark.parametrize(
    "values",
    [
        {"exchange_url": "https://mail.example.com/"},
        {"exchange_url": "http://127.0.0.1:8025/EWS/Exchange.asmx"},
        {"exchange_url": "http://[::1]:8025/"},
        {"exchange_url": "http://localhost/"},
        {"exchange_url": "http://mail.example.com/", "allow_plain_http": "on"},
    ],
)
def test_complete_settings_pass(values):
    settings.change({"username": "svc", "password": "p", **values})
    settings.check_complete(settings.load())


def test_calendar_integration_is_off_until_it_is_set():
    with pytest.raises(UsageError, match="calendar integration is off"):
        settings.check_enabled(settings.load())
    settings.change({"calendar_integration": "on"})
    settings.check_enabled(settings.load())


def test_what_takes_hold_later_is_said():
    assert settings.change({"past_days": "30"}) == [
        "past_days takes hold at the next full round (keepstep sync --full)."
    ]
    assert settings.change({"past_days": "30"}) == []
    assert settings.change({"private_appointments": "full"}) == [
        "private_appointments takes hold at the next full round (keepstep sync --full)."
    ]


def test_tightening_scrubs_at_once():
    settings.change({"private_appointments": "full"})
    assert settings.change({"private_appointments": "skip"}) == [
        "private_appointments: 0 stored appointments were scrubbed."
    ]


def test_a_certificate_file_must_hold_certificates(tmp_path):
    file = tmp_path / "ca.pem"
    with pytest.raises(UsageError, match="can't be used: No such file"):
        settings.change({"ca_file": str(file)})
    file.write_text("no certificate")
    with pytest.raises(
        UsageError, match=r"must be a file of PEM certificates|holds no certificate"
    ):
        settings.change({"ca_file": str(file)})
