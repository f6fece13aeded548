"""What the administrator of an Exchange server on premises can do about a failure.

The commands are those of the Exchange Management Shell (Microsoft Learn: New-ManagementRole-
Assignment, Set-WebServicesVirtualDirectory, New-ThrottlingPolicy and so on).
"""

from __future__ import annotations

from dataclasses import dataclass

_SCHEME_SWITCHES = {
    "basic": "-BasicAuthentication",
    "ntlm": "-WindowsAuthentication",
    "negotiate": "-WindowsAuthentication",
    "oauth": "-OAuthAuthentication",
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the commands are about: the service account, how it signs in, whose mailbox."""

    account: str = ""
    auth: str = "basic"
    mailbox: str = ""


def for_administrator(code: str, about: Circumstances) -> str:
    """Give what the administrator of Exchange is to run or to look at, "" where there is nothing.

    Names are quoted so that the shell takes them as they are, whatever they hold.
    """
    account, mailbox = quoted(about.account or "ACCOUNT"), quoted(about.mailbox or "MAILBOX")
    switch = _SCHEME_SWITCHES.get(about.auth, "-BasicAuthentication")
    commands = {
        "impersonation-refused": "New-ManagementRoleAssignment -Name 'Keepstep'"
        f" -Role ApplicationImpersonation -User {account}"
        " (to limit it to the operators: New-ManagementScope with a -RecipientRestrictionFilter,"
        " and its name as -CustomRecipientWriteScope; it may take an hour to take hold)",
        "sign-in-refused": f"Get-ADUser -Filter * -Properties LockedOut, PasswordExpired"
        f" (is {account} locked, disabled or expired?)",
        "sign-in-not-offered": "Get-WebServicesVirtualDirectory |"
        f" Set-WebServicesVirtualDirectory {switch} $true",
        "no-such-mailbox": f"Get-Recipient -Identity {mailbox} |"
        " Format-List RecipientType, PrimarySmtpAddress, ServerName",
        "no-email-address": f"Get-Recipient -Identity {mailbox} |"
        " Format-List RecipientType, PrimarySmtpAddress",
        "folder-missing": f"Get-MailboxFolderStatistics -Identity {mailbox} -FolderScope Calendar",
        "wrong-exchange-version": "Get-ExchangeServer | Format-List Name, AdminDisplayVersion",
        "login-page": _ADDRESSES,
        "not-exchange": _ADDRESSES,
        "redirected": _ADDRESSES,
        "certificate-expired": _CERTIFICATES,
        "certificate-ends-soon": _CERTIFICATES,
        "certificate-wrong-name": _CERTIFICATES,
        "server-busy": "New-ThrottlingPolicy -Name 'Keepstep' -ThrottlingPolicyScope Regular"
        " -EwsMaxConcurrency 27 -EwsCutoffBalance Unlimited;"
        f" Set-ThrottlingPolicyAssociation -Identity {account} -ThrottlingPolicy 'Keepstep'",
        "subscription-limit": "New-ThrottlingPolicy -Name 'Keepstep' -ThrottlingPolicyScope"
        " Regular -EwsMaxSubscriptions 20000;"
        f" Set-ThrottlingPolicyAssociation -Identity {account} -ThrottlingPolicy 'Keepstep'",
        "notifications-refused": f"Get-Mailbox -Identity {mailbox} |"
        " Format-List ServerName, RecipientTypeDetails, AdminDisplayVersion",
        "store-unavailable": f"Get-MailboxDatabaseCopyStatus; Get-Mailbox -Identity {mailbox} |"
        " Format-List Database",
        "mailbox-moving": f"Get-MoveRequest -Identity {mailbox} | Get-MoveRequestStatistics",
    }
    command = commands.get(code, "")
    return f"For the administrator of Exchange: {command}." if command else ""


_ADDRESSES = "Get-WebServicesVirtualDirectory | Format-List Server, InternalUrl, ExternalUrl"
_CERTIFICATES = "Get-ExchangeCertificate | Format-List Services, CertificateDomains, NotAfter"


def quoted(text: str) -> str:
    """Give text as a literal of PowerShell: single quotes, those within doubled.

    PowerShell takes the typographic ones for quotes as well.
    """
    for quote in "'\u2018\u2019\u201a\u201b":
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
