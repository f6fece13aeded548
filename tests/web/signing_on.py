"""Signing in by a service, as a browser without a window does it."""

from __future__ import annotations

from django.test import Client
from django.utils import translation

from keepstep.core.failures import FAILURES
from keepstep.store.models import Identity
from tests.web.sign_in_service import SECRET, Service

SSO = "/sign-in/sso"
CALLBACK = f"{SSO}/callback"
HERE = "http://testserver"
NEW = "new@example.com"


def known(service: Service, subject: str, email: str, **claims: object) -> str:
    """Let the service know somebody with a verified address; give the subject."""
    service.person(subject, **{"email": email, "email_verified": True, **claims})
    return subject


def sign_in(service: Service, subject: str, client: Client | None = None) -> tuple[Client, str]:
    """Sign in as a person does; give the browser, and the code of what went wrong or ""."""
    client = client or Client()
    to_service = client.get(SSO)["Location"]
    answer = client.get(service.approve(to_service, subject).removeprefix(HERE))
    if answer.status_code == 302:
        assert client.get("/account").status_code == 200
        return client, ""
    assert client.get("/account").status_code == 302
    return client, code_on(answer.content.decode())


def code_on(page: str) -> str:
    return page.partition("<p><code>")[2].partition("</code>")[0]


def back_from(service: Service, client: Client) -> str:
    """Go to the service and sign in there; give the address to which one is sent back."""
    return service.approve(client.get(SSO)["Location"], "anna").removeprefix(HERE)


def refused(client: Client, address: str, code: str) -> str:
    """Open an address that must let nobody in, and say so plainly; give the page."""
    answer = client.get(address)
    page = answer.content.decode()
    assert f"<code>{code}</code>" in page, page[-600:]
    with translation.override("en"):
        assert FAILURES[code].message.replace("'", "&#x27;") in page
    assert answer.status_code in (400, 403, 503)
    assert "Traceback" not in page
    assert SECRET not in page
    assert client.get("/account").status_code == 302
    assert not Identity.objects.exists()
    return page
