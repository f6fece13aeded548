"""What stands beside EWS: Autodiscover (POX, MS-OXDSCLI) and a token endpoint (OpenID)."""

import json
import re
from xml.sax.saxutils import escape

from keepstep_simulator.accounts import Accounts
from keepstep_simulator.face import Answer, Request

AUTODISCOVER_PATH = "/autodiscover/autodiscover.xml"
_RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
_OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_ADDRESS = re.compile(rb"<EMailAddress>([^<]{1,500})</EMailAddress>")


def autodiscover(request: Request, knows: bool, moved_to: str) -> Answer:
    """Answer with the EWS address of this server, or with where to ask instead (``moved_to``)."""
    if _ADDRESS.search(request.body) is None or not knows:
        return _pox(
            f'<Response xmlns="{_RESPONSE}"><Error Time="09:00:00" Id="1">'
            "<ErrorCode>500</ErrorCode><Message>The email address can't be found.</Message>"
            "<DebugData/></Error></Response>"
        )
    if moved_to:
        action = f"<Action>redirectUrl</Action><RedirectUrl>{escape(moved_to)}</RedirectUrl>"
        return _account(action)
    url = escape(f"{_base(request)}/EWS/Exchange.asmx")
    return _account(
        "<AccountType>email</AccountType><Action>settings</Action><Protocol><Type>EXCH</Type>"
        f"<Server>EX01</Server><EwsUrl>{url}</EwsUrl></Protocol>"
        f"<Protocol><Type>EXPR</Type><EwsUrl>{url}</EwsUrl></Protocol>"
    )


def address_in(body: bytes) -> str:
    """Give the e-mail address that an Autodiscover request asks for."""
    found = _ADDRESS.search(body)
    return found[1].decode("utf-8", "replace") if found else ""


def token_service(request: Request, accounts: Accounts) -> Answer | None:
    """Answer for the sign-in service of the tenant; None for what is not its."""
    base = f"/{accounts.tenant}"
    if request.path == f"{base}/v2.0/.well-known/openid-configuration":
        where = f"{_base(request)}{base}"
        return _json(
            200,
            {
                "issuer": f"{where}/v2.0",
                "authorization_endpoint": f"{where}/oauth2/v2.0/authorize",
                "token_endpoint": f"{where}/oauth2/v2.0/token",
            },
        )
    if request.path == f"{base}/oauth2/v2.0/token" and request.method == "POST":
        return _json(*accounts.token(request.body))
    return None


def _base(request: Request) -> str:
    return f"{'https' if request.secure else 'http'}://{request.headers.get('host', '')}"


def _account(inner: str) -> Answer:
    return _pox(f'<Response xmlns="{_OUTLOOK}"><Account>{inner}</Account></Response>')


def _pox(response: str) -> Answer:
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{_RESPONSE}">'
        f"{response}</Autodiscover>"
    )
    return Answer(200, {"Content-Type": "text/xml; charset=utf-8"}, body.encode())


def _json(status: int, fields: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(fields).encode())
