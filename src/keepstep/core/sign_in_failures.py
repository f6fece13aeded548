"""The part of the catalogue of failures that is about signing in to the pages."""

from __future__ import annotations

from keepstep.core.failure import Failure

SIGN_IN_FAILURES = (
    Failure(
        "sso-not-set-up",
        "Single sign-on is not set up here.",
        "The setting sso_issuer or sso_client_id is empty.",
        "Sign in another way, or have an administrator set sso_issuer and sso_client_id.",
        passes_by_itself=False,
    ),
    Failure(
        "sso-unavailable",
        "The sign-in service can't be reached, or answers what can't be used.",
        "It is down or slow, sso_issuer does not name it exactly, or the network, a proxy or a"
        " certificate stands between.",
        "Try again in a while. If it lasts, have an administrator test the sign-in service on the"
        " settings page, and check sso_issuer, http_proxy and ca_file.",
        passes_by_itself=True,
    ),
    Failure(
        "sso-refused",
        "The sign-in service did not let you in.",
        "You broke it off or may not use this application, or the service does not accept the"
        " application's id, secret or redirect address.",
        "Try again. If it lasts, have an administrator compare sso_client_id, sso_client_secret"
        " and the redirect address with what is registered at the service.",
        passes_by_itself=False,
    ),
    Failure(
        "sso-expired",
        "This sign-in was not begun here, or too long ago.",
        "It was begun more than ten minutes ago, in another browser or at another address of"
        " these pages, or the address was opened twice.",
        "Begin again on the sign-in page, and stay in the same browser.",
        passes_by_itself=False,
    ),
    Failure(
        "sso-not-proven",
        "What the sign-in service said of you can't be believed.",
        "Its id token has a wrong signature, is meant for another application or another sign-in,"
        " comes from another issuer, or has run out.",
        "Begin again. If it lasts, have an administrator check sso_issuer, sso_client_id and the"
        " clocks of both machines.",
        passes_by_itself=False,
    ),
    Failure(
        "sso-email-unverified",
        "The sign-in service does not vouch for your e-mail address.",
        "It names no e-mail address, or does not say that the address was verified.",
        "Have the address verified at the service. Where it never says so, as Microsoft Entra, an"
        " administrator decides by sso_trust_email.",
        passes_by_itself=False,
    ),
    Failure(
        "sso-unknown-person",
        "Nobody is known here by the e-mail address that the sign-in service names.",
        "There is no account of this address, and accounts are not made by signing in.",
        "Ask an administrator for an invitation.",
        passes_by_itself=False,
    ),
    Failure(
        "sso-account-taken",
        "The account of this e-mail address belongs to somebody else at the sign-in service.",
        "The address was given to another person there, or the person has a new identity.",
        "If it is the same person, have an administrator dissolve the link of the account, on the"
        " pages or by: keepstep people unlink EMAIL.",
        passes_by_itself=False,
    ),
    Failure(
        "sso-no-role",
        "The sign-in service gives you no role here.",
        "What it says of you in the claim sso_role_claim is none of the values that stand for a"
        " role, or for one that you can't have.",
        "Have the role given to you at the service, then sign in again; an administrator sets"
        " which values count.",
        passes_by_itself=False,
    ),
    Failure(
        "account-off",
        "This account is switched off.",
        "An administrator switched it off.",
        "Ask an administrator to switch it on again.",
        passes_by_itself=False,
    ),
    Failure(
        "passwords-off",
        "Passwords are switched off here: people sign in by single sign-on.",
        "The setting sso_passwords is off.",
        "Use the button on the sign-in page. If single sign-on fails, passwords are switched on"
        " on the server: keepstep settings set sso_passwords=on.",
        passes_by_itself=False,
    ),
)
