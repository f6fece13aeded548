"""The catalogue of failures: each failure a user can meet, in plain words, with its remedy.

Shown alike on the command line, the pages, the API and in e-mails. Codes are stable.
"""

from __future__ import annotations

from keepstep.core.failure import Failure
from keepstep.core.failures_of_doors import OF_DOORS
from keepstep.core.sign_in_failures import SIGN_IN_FAILURES

__all__ = ["FAILURES", "Failure"]


def _catalogue(*failures: Failure) -> dict[str, Failure]:
    return {failure.code: failure for failure in failures}


FAILURES: dict[str, Failure] = _catalogue(
    Failure(
        "sign-in-refused",
        "Exchange refused the user name or password of the service account.",
        "The password was changed or has expired, or the user name lacks its domain.",
        "Set username and password again (keepstep settings set username=… password=-), then sync.",
        passes_by_itself=False,
    ),
    Failure(
        "sign-in-not-offered",
        "Exchange does not offer the way of signing in that is set.",
        "The setting auth names another way than those that the server's web site allows.",
        "Set auth to a way that the server offers (basic, ntlm, negotiate, oauth), or have the"
        " administrator of Exchange allow this one for the EWS virtual directory.",
        passes_by_itself=False,
    ),
    Failure(
        "token-refused",
        "The sign-in service gave no token, or Exchange did not accept it.",
        "The secret of the application has ended, a setting that begins with oauth_ is wrong,"
        " or the application lacks the permission full_access_as_app.",
        "Check the settings oauth_tenant, oauth_client_id, oauth_client_secret and oauth_scope"
        " with the administrator of the sign-in service.",
        passes_by_itself=False,
    ),
    Failure(
        "token-unavailable",
        "The sign-in service can't give a token at the moment.",
        "It is overloaded, or failed inside.",
        "It is tried again. If it lasts, look at the state of the sign-in service.",
        passes_by_itself=True,
    ),
    Failure(
        "impersonation-refused",
        "The service account may not read this mailbox.",
        "The account lacks the right of ApplicationImpersonation for this operator.",
        "Ask the administrator of Exchange to grant the management role ApplicationImpersonation"
        " to the service account, with a scope that holds this mailbox.",
        passes_by_itself=False,
    ),
    Failure(
        "no-such-mailbox",
        "Exchange has no mailbox of this e-mail address.",
        "The address is misspelt, or the mailbox was removed or is not on this server.",
        "Correct the operator's e-mail address, or switch calendar sync off for this operator.",
        passes_by_itself=False,
    ),
    Failure(
        "no-email-address",
        "There is no e-mail address by which Exchange could find the mailbox.",
        "The operator's address is empty or no address, or the account has none in the directory.",
        "Set the operator's e-mail address, or have the administrator of Exchange enable a"
        " mailbox for the account.",
        passes_by_itself=False,
    ),
    Failure(
        "folder-missing",
        "The mailbox has no calendar folder.",
        "The folder was lost, or the mailbox was never opened.",
        "Open the mailbox once in Outlook with the switch /resetfolders, which makes it anew.",
        passes_by_itself=False,
    ),
    Failure(
        "mailbox-moving",
        "The mailbox is being moved.",
        "The administrator of Exchange is moving it to another database or server.",
        "Nothing to do: it is tried again until the move is over.",
        passes_by_itself=True,
    ),
    Failure(
        "store-unavailable",
        "Exchange can't reach the mailbox's database at the moment.",
        "The mailbox database is offline, failing over, or overloaded.",
        "Nothing to do for a while; if it lasts, tell the administrator of Exchange.",
        passes_by_itself=True,
    ),
    Failure(
        "server-busy",
        "Exchange is busy and asked us to wait.",
        "The account or the mailbox has used up its throttling budget.",
        "Nothing to do: the pause is obeyed. If it happens often, lower the limit of connections.",
        passes_by_itself=True,
    ),
    Failure(
        "timed-out",
        "Exchange did not answer in time.",
        "The server is overloaded, or the network between drops what is sent.",
        "It is tried again. If it lasts, check the network path to the Exchange URL.",
        passes_by_itself=True,
    ),
    Failure(
        "sync-state-refused",
        "Exchange no longer accepts the stored sync state.",
        "The mailbox was moved or restored since the last round.",
        "Nothing to do: a full round follows by itself.",
        passes_by_itself=True,
    ),
    Failure(
        "listing-doubtful",
        "Exchange's list of changes contradicts itself.",
        "It repeated a page, never came to an end, or forgot the sync state.",
        "Nothing to do: a full round follows by itself.",
        passes_by_itself=True,
    ),
    Failure(
        "wrong-exchange-version",
        "Exchange does not know the version that is set.",
        "The setting exchange_version names a newer Exchange than the server is.",
        "Set exchange_version to the version of the server.",
        passes_by_itself=False,
    ),
    Failure(
        "certificate-not-trusted",
        "The server's TLS certificate is not trusted.",
        "It was issued by a private authority, or by the server itself.",
        "Name the file of the private authority's certificate in the setting ca_file.",
        passes_by_itself=False,
    ),
    Failure(
        "certificate-expired",
        "The server's TLS certificate has expired.",
        "It was not renewed in time.",
        "Ask the administrator of Exchange to renew the certificate.",
        passes_by_itself=False,
    ),
    Failure(
        "certificate-wrong-name",
        "The server's TLS certificate is for another name.",
        "The Exchange URL uses a name that the certificate does not hold.",
        "Use in exchange_url the name that the certificate was issued for.",
        passes_by_itself=False,
    ),
    Failure(
        "tls-failed",
        "No secure connection to the Exchange server could be agreed on.",
        "The server speaks plain HTTP at that port, or offers only outdated TLS.",
        "Check scheme and port in exchange_url; have TLS 1.2 or newer enabled on the server.",
        passes_by_itself=False,
    ),
    Failure(
        "name-not-found",
        "The name of the Exchange server can't be found.",
        "It is misspelt in the Exchange URL, or the name service does not know it.",
        "Check the host in exchange_url, and name resolution on this machine.",
        passes_by_itself=True,
    ),
    Failure(
        "address-forbidden",
        "The address leads to where Keepstep must not ask.",
        "The host is, or resolves to, an address of cloud metadata or of the local link.",
        "Set exchange_url (or http_proxy, oauth_authority) to the real host, and check what"
        " the name service says of it.",
        passes_by_itself=False,
    ),
    Failure(
        "connection-refused",
        "The Exchange server can't be reached.",
        "Nothing listens at the address, or the connection was cut.",
        "Check host and port in exchange_url, the firewall, and that Exchange is up.",
        passes_by_itself=True,
    ),
    Failure(
        "proxy-in-the-way",
        "A proxy on the way refused the request.",
        "The network lets requests through only by a proxy, and it wants a sign-in or forbids it.",
        "Set http_proxy, or ask the network's administrator to let Keepstep through.",
        passes_by_itself=False,
    ),
    Failure(
        "redirected",
        "The Exchange URL leads elsewhere.",
        "The server answered with a redirect to another server; credentials are not sent there.",
        "Set exchange_url to the final address, as the Exchange administrator names it.",
        passes_by_itself=False,
    ),
    Failure(
        "login-page",
        "A web page came in place of an answer.",
        "The URL is that of Outlook on the web or of a sign-in portal.",
        "Set exchange_url to the EWS address, usually https://HOST/EWS/Exchange.asmx.",
        passes_by_itself=False,
    ),
    Failure(
        "not-exchange",
        "What answers at the Exchange URL is not Exchange Web Services.",
        "The path is wrong, or another server answers there.",
        "Set exchange_url to the EWS address, usually https://HOST/EWS/Exchange.asmx.",
        passes_by_itself=False,
    ),
    Failure(
        "answer-unreadable",
        "Exchange's answer can't be read.",
        "It was cut short, or holds what no answer may hold (a DOCTYPE, for one).",
        "It is tried again. If it lasts, look for a device on the way that changes answers.",
        passes_by_itself=True,
    ),
    Failure(
        "answer-too-large",
        "Exchange's answer is larger than is accepted.",
        "A batch holds very large items, or what answers is not Exchange.",
        "Lower batch_size; if it lasts, check the Exchange URL.",
        passes_by_itself=True,
    ),
    Failure(
        "item-unreadable",
        "One item can't be read and was set aside.",
        "Exchange can't deliver the item, or it is damaged.",
        "Open and save the appointment in Outlook, or delete it; it is tried at its next change.",
        passes_by_itself=False,
    ),
    Failure(
        "held-mass-removal",
        "Most of the upcoming appointments vanished from Exchange; their removal is held.",
        "A calendar was emptied or replaced, or the server forgot what it holds.",
        "Look at them (keepstep holds list), then release or discard the hold.",
        passes_by_itself=False,
    ),
    Failure(
        "subscription-limit",
        "Exchange accepts no further subscription for the service account.",
        "The account holds as many subscriptions as its throttling policy allows.",
        "Nothing to do: the mailbox is polled instead. To have notifications for more, raise"
        " EwsMaxSubscriptions of the account's throttling policy.",
        passes_by_itself=True,
    ),
    Failure(
        "subscription-gone",
        "Exchange no longer knows the subscription to a mailbox's changes.",
        "It expired, the server was restarted, or another server answers than the one that has it.",
        "Nothing to do: the mailbox is subscribed to anew, and polled meanwhile.",
        passes_by_itself=True,
    ),
    Failure(
        "watermark-refused",
        "Exchange can't tell what changed since it last told of changes.",
        "What is remembered of the last notification is too old, or the mailbox was moved.",
        "Nothing to do: the mailbox is subscribed to anew and polled at once.",
        passes_by_itself=True,
    ),
    Failure(
        "notification-url-refused",
        "Exchange does not accept the address at which it should notify us.",
        "It is no address to Exchange, or one that it may not call.",
        "Set notification_url to an address, with https:// and the host's full name, that the"
        " Exchange server reaches; until then use delivery=streaming.",
        passes_by_itself=False,
    ),
    Failure(
        "notifications-not-heard",
        "Exchange accepted our address for notifications, but is not heard there.",
        "The Exchange server can't reach notification_url: a firewall, a proxy, a name that it"
        " can't resolve, or a certificate that it does not trust.",
        "Open notification_url from the Exchange server itself, and mend what stands between;"
        " it is tried on and on. Until then another way serves: streaming, or polling.",
        passes_by_itself=True,
    ),
    Failure(
        "notifications-refused",
        "Exchange does not notify of changes in this mailbox.",
        "The server is older than 2010 SP1, has notifications switched off, or the mailbox is on"
        " another site than the one asked.",
        "Nothing to do: the mailbox is polled instead. To have notifications, set exchange_url to"
        " the server of the mailbox's site.",
        passes_by_itself=True,
    ),
    Failure(
        "stream-limit",
        "Exchange accepts no further streaming connection.",
        "As many are open for one mailbox as its HangingConnectionLimit allows.",
        "Nothing to do: the mailboxes are polled meanwhile. If it lasts, raise"
        " HangingConnectionLimit in the web.config of EWS on the Exchange servers, or end other"
        " programs that stream.",
        passes_by_itself=True,
    ),
    Failure(
        "stream-dropped",
        "A streaming connection to Exchange was cut or fell silent.",
        "A proxy, firewall or load balancer on the way ends long connections, or the server was"
        " restarted.",
        "It is opened again, and the mailboxes are polled meanwhile. If it happens often, have the"
        " devices on the way let connections to Exchange last 30 minutes.",
        passes_by_itself=True,
    ),
    Failure(
        "request-refused",
        "Exchange refused the request.",
        "The server does not accept what was asked for; the detail has its code.",
        "Check exchange_version; if it lasts, report it with the code shown.",
        passes_by_itself=True,
    ),
    Failure(
        "server-error",
        "Exchange failed inside.",
        "The server answered with an internal error.",
        "It is tried again. If it lasts, tell the administrator of Exchange.",
        passes_by_itself=True,
    ),
    Failure(
        "database-unavailable",
        "The database can't be written now.",
        "It is locked by another program, out of space, or can't be reached.",
        "Check free space and that the database is up; nothing was lost, it is tried again.",
        passes_by_itself=True,
    ),
    Failure(
        "clock-skew",
        "The clocks of this machine and of Exchange differ.",
        "One of them is not set by a time server.",
        "Let both machines take their time from the same time server.",
        passes_by_itself=False,
    ),
    Failure(
        "server-slow",
        "Exchange answers slowly.",
        "The server or the network on the way is overloaded, or they are far apart.",
        "Poll less often (keepstep jobs set CalendarSynchronization schedule=MINUTES), and have"
        " the load of the Exchange server looked at.",
        passes_by_itself=True,
    ),
    Failure(
        "plain-http",
        "The Exchange URL is plain http.",
        "What is sent, the password included, can be read on the way.",
        "Set exchange_url to the https address of the server.",
        passes_by_itself=False,
    ),
    Failure(
        "certificate-ends-soon",
        "The server's TLS certificate expires soon.",
        "It was not renewed yet.",
        "Ask the administrator of Exchange to renew the certificate before it ends.",
        passes_by_itself=False,
    ),
    Failure(
        "mail-not-set-up",
        "No mail server is set by which failure e-mails could be sent.",
        "The setting smtp_host is empty, or its sign-in would let the password be read on the way.",
        "Set smtp_host (and smtp_port, smtp_security, smtp_from as needed), then try it: keepstep"
        " testmail.",
        passes_by_itself=False,
    ),
    Failure(
        "mail-not-sent",
        "The mail server did not take an e-mail.",
        "It is down or can't be reached, or it refused the sign-in, the sender or the recipients.",
        "It is tried again for three days. Correct the settings that begin with smtp_ by the"
        " reason shown, then try them: keepstep testmail.",
        passes_by_itself=True,
    ),
    Failure(
        "traces-extra-missing",
        "Traces are asked for, but the packages that send them are not installed.",
        "OTEL_EXPORTER_OTLP_ENDPOINT names a collector, and Keepstep was installed without its"
        " extra otel.",
        "Install them (pip install 'keepstep[otel]') and restart, or unset the variable. Until"
        " then all works without traces.",
        passes_by_itself=False,
    ),
    Failure(
        "traces-not-sent",
        "Traces can't be sent to the collector.",
        "It is down, can't be reached or refuses them, or a variable that begins with OTEL_ is"
        " wrong.",
        "Check the collector and OTEL_EXPORTER_OTLP_ENDPOINT (OTLP over HTTP, by default port"
        " 4318). Nothing else is disturbed; what can't be sent is dropped.",
        passes_by_itself=True,
    ),
    *OF_DOORS,
    Failure(
        "internal-error",
        "Keepstep failed inside.",
        "A mistake in Keepstep.",
        "It is tried again. Please report it with the log line of this time.",
        passes_by_itself=True,
    ),
    *SIGN_IN_FAILURES,
)
