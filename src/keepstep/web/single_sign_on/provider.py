"""The sign-in service, as django-allauth knows it; importing this loads allauth.

allauth leads to the service and back: state, PKCE, the code, the token. The settings are read at
each request; whom the service vouches for is let in by `keepstep.store.single_sign_on`. None of
allauth's tables, pages and messages are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import get_random_string

from keepstep.core.claims import claim_at
from keepstep.core.errors import SignInError
from keepstep.store.settings import ApplicationSettings
from keepstep.store.single_sign_on import Vouched, admit, is_set_up
from keepstep.web.single_sign_on.discovery import callback_url, configuration, service_name
from keepstep.web.single_sign_on.http import Session, error_named, present
from keepstep.web.single_sign_on.id_token import check_nonce, verified

PROVIDER = "keepstep"
STATE_SECONDS = 600
_NONCE_LENGTH = 32
_BACKEND = "django.contrib.auth.backends.ModelBackend"


class Adapter(DefaultSocialAccountAdapter):
    """Where allauth asks us: for the application, for the network, and who it is."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Give the one application, from the settings as they are now."""
        return [_application(present().settings)]

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> Provider:
        """Give the one sign-in service."""
        return Provider(request, app=self.get_app(request, provider))

    def get_requests_session(self) -> Session:
        """Give what asks the service."""
        return Session()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Let in whom the service vouches for: allauth's own way of doing so ends here."""
        claims = sociallogin.account.extra_data
        check_nonce(claims, sociallogin.state.get("nonce"))
        person = Vouched(str(claims["iss"]), str(claims["sub"]), claims)
        account = admit(person, present().settings, datetime.now(UTC))
        login(request, account, backend=_BACKEND)
        request.session.set_expiry(None)
        raise ImmediateHttpResponse(
            HttpResponseRedirect(sociallogin.get_redirect_url(request) or reverse("home"))
        )

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Provider,
        error: object = None,
        exception: Exception | None = None,
        extra_context: Mapping[str, Any] | None = None,
    ) -> None:
        """Say why nobody was let in; in place of allauth's page."""
        if exception is None and "state" not in (extra_context or {}):
            raise SignInError("sso-expired")
        raise SignInError("sso-refused", error_named(request.GET.get("error"))) from exception


class Application(OAuth2Client):
    """Keepstep, as a client of the service."""

    def get_redirect_url(
        self, authorization_url: str, scope: Iterable[str], extra_params: Mapping[str, str]
    ) -> str:
        """Give the address where somebody signs in; the service's own may have parameters."""
        parameters = super().get_redirect_url("", scope, extra_params).removeprefix("?")
        return f"{authorization_url}{'&' if '?' in authorization_url else '?'}{parameters}"


class OAuth2Adapter(OpenIDConnectOAuth2Adapter):
    """The conversation with the service."""

    client_class = Application
    _config: dict[str, Any] | None = None

    @property
    def openid_config(self) -> dict[str, Any]:
        """Give what the service says of itself. Raises SignInError where that can't be used."""
        if self._config is None:
            self._config = configuration()
        return self._config

    def get_provider(self) -> Provider:
        """Give the one sign-in service."""
        return Adapter(self.request).get_provider(self.request, self.provider_id)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Give the address to which the service sends people back."""
        return callback_url(request, present().settings)

    def parse_token(self, data: Mapping[str, Any]) -> SocialToken:
        """Give the token for what else the service tells; it is kept nowhere."""
        return SocialToken(token=str(data["access_token"]))

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **told: Any
    ) -> SocialLogin:
        """Give what the service vouches for. Raises SignInError where it is not to be believed."""
        config = self.openid_config
        keys = Session().get(config["jwks_uri"]).json()
        client_id = present().settings.sso_client_id
        claims = verified(told["response"].get("id_token"), keys, config["issuer"], client_id)
        return _Login(self.get_provider(), {**self._more(claims, token), **claims})

    def _more(self, claims: Mapping[str, Any], token: SocialToken) -> dict[str, Any]:
        """Give what the service tells when asked, if the id token lacks something of use."""
        address = self.openid_config.get("userinfo_endpoint")
        if address is None or not _missing(claims, present().settings):
            return {}
        more = Session().get(address, headers={"Authorization": f"Bearer {token.token}"}).json()
        # Else it is somebody else of whom it tells (OpenID Connect Core 1.0, 5.3.2).
        if more.get("sub") != claims["sub"]:
            raise SignInError("sso-not-proven", "userinfo")
        return more


class Provider(OpenIDConnectProvider):
    """The sign-in service that the settings name."""

    oauth2_adapter_class = OAuth2Adapter
    package: ClassVar[str] = "allauth.socialaccount.providers.openid_connect"


class _Login(SocialLogin):
    """Somebody whom the service vouches for."""

    def __init__(self, provider: Provider, claims: dict[str, Any]) -> None:
        account = SocialAccount(uid=claims["sub"], provider=PROVIDER, extra_data=claims)
        super().__init__(account=account, provider=provider)

    def lookup(self) -> None:
        """Do nothing: whose account it is is decided by `Adapter.pre_social_login`."""


def begin(request: HttpRequest, destination: str) -> HttpResponse:
    """Lead to the service; `destination` is the page to come to afterwards."""
    adapter = OAuth2Adapter(request, PROVIDER)
    nonce = get_random_string(_NONCE_LENGTH)
    # What is kept of one who never comes back goes soon.
    request.session.set_expiry(STATE_SECONDS)
    answer: HttpResponse = adapter.get_provider().redirect(
        request, AuthProcess.LOGIN, destination, auth_params={"nonce": nonce}, nonce=nonce
    )
    return answer


def complete(request: HttpRequest) -> HttpResponse:
    """Let in whom the service has sent back. Raises SignInError."""
    view = OAuth2CallbackView.adapter_view(OAuth2Adapter(request, PROVIDER))  # type: ignore[no-untyped-call]
    answer: HttpResponse = view(request)
    return answer


def _application(settings: ApplicationSettings) -> SocialApp:
    if not is_set_up(settings):
        raise SignInError("sso-not-set-up")
    return SocialApp(
        provider=OpenIDConnectProvider.id,
        provider_id=PROVIDER,
        name=service_name(settings),
        client_id=settings.sso_client_id,
        secret=settings.sso_client_secret,
        settings={
            "server_url": settings.sso_issuer,
            "oauth_pkce_enabled": True,
            "scope": settings.sso_scope.split(),
        },
    )


def _missing(claims: Mapping[str, Any], settings: ApplicationSettings) -> bool:
    wanted = (settings.sso_email_claim, settings.sso_role_claim, settings.sso_group_claim)
    return any(claim_at(claims, each) is None for each in wanted if each)
