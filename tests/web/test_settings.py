"""The settings pages: checked where each stands, saved all or nothing, secrets never shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from keepstep.store import audit, settings
from keepstep.store.models import Account

SECRET = "s3cret-of-the-service"
EXCHANGE = {
    "calendar_integration": "on",
    "exchange_url": "https://mail.example.com/EWS/Exchange.asmx",
    "exchange_version": "Exchange2016",
    "batch_size": "50",
    "notification_url": "",
    "notification_frequency": "15",
    "notify_sync_failure_to": "it@example.com; ops@example.com",
    "delivery": "streaming",
    "safety_poll": "45",
    "auth": "ntlm",
    "username": "EXAMPLE\\svc",
    "password": SECRET,
    "oauth_authority": "https://login.microsoftonline.com",
}


@pytest.fixture
def client(client_of: Callable[[Account], Client], administrator: Account) -> Client:
    return client_of(administrator)


def test_all_settings_of_the_page_are_saved(client: Client, administrator: Account) -> None:
    answer = client.post("/settings/", EXCHANGE)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/settings/")
    saved = settings.load()
    assert saved.calendar_integration
    assert saved.exchange_url == EXCHANGE["exchange_url"]
    assert (saved.batch_size, saved.notification_frequency) == (50, 15)
    assert saved.notify_sync_failure_to == ("it@example.com", "ops@example.com")
    assert (saved.username, saved.password) == (EXCHANGE["username"], SECRET)
    assert saved.auth == "ntlm"
    assert (saved.delivery, saved.safety_poll) == ("streaming", 45)


def test_one_wrong_value_saves_none_and_is_marked_where_it_stands(client: Client) -> None:
    answer = client.post("/settings/", EXCHANGE | {"batch_size": "513"})
    assert answer.status_code == 422
    page = answer.content.decode()
    wrong = page.partition('id="id_batch_size_error"')[2]
    assert "Batch size must be a whole number from 1 to 512" in wrong
    assert settings.load().exchange_url == ""


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("exchange_url", "file:///etc/passwd", "must begin with https://"),
        ("exchange_url", "http://169.254.169.254/latest", "cloud metadata"),
        ("batch_size", "0", "from 1 to 512"),
        ("notification_frequency", "often", "1"),
        ("notify_sync_failure_to", "nobody", "nobody"),
        ("smtp_host", "<script>alert(1)</script>", "&lt;script&gt;"),
    ],
)
def test_a_field_says_what_is_wrong_as_soon_as_it_is_left(
    client: Client, name: str, value: str, words: str
) -> None:
    answer = client.post(f"/settings/check/{name}", {name: value})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert words in page
    assert "field-wrong" in page
    assert "<script>" not in page
    assert getattr(settings.load(), name) == getattr(settings.ApplicationSettings(), name)


def test_a_setting_that_is_none_has_no_field(client: Client) -> None:
    assert client.post("/settings/check/secret_key", {"secret_key": "x"}).status_code == 404


def test_a_secret_is_kept_if_left_empty_and_removed_if_asked_to(client: Client) -> None:
    client.post("/settings/", EXCHANGE)
    client.post("/settings/", EXCHANGE | {"password": ""})
    assert settings.load().password == SECRET
    client.post("/settings/", EXCHANGE | {"password": "", "remove-password": "on"})
    assert settings.load().password == ""


def test_no_page_shows_a_secret(client: Client) -> None:
    client.post("/settings/", EXCHANGE)
    for address in ("/settings/", "/settings/changes", "/settings/mail", "/health/overview"):
        assert SECRET not in client.get(address).content.decode()
    assert SECRET not in client.post("/settings/", EXCHANGE | {"batch_size": "0"}).content.decode()


def test_who_changed_what_is_shown(client: Client, administrator: Account) -> None:
    client.post("/settings/", EXCHANGE)
    page = client.get("/settings/changes").content.decode()
    assert administrator.email in page
    assert "batch_size" in page
    entry = audit.listing(limit=1)[0]
    assert entry.by == administrator.email
    assert entry.changes["password"] == "changed"


def test_the_language_of_the_pages_is_the_account_s(client: Client) -> None:
    client.post("/account", {"language": "de"})
    answer = client.get("/settings/")
    assert answer.headers["Content-Language"] == "de"
    assert '<html lang="de">' in answer.content.decode()
    assert "Einstellungen" in answer.content.decode()
