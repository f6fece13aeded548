"""What counts as guessing when somebody signs in: how django-axes is to count wrong attempts."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.db.models import Sum
from django.http import HttpRequest

# Of AXES_FAILURE_LIMIT wrong attempts with one e-mail address from one machine; so many times more
# with any addresses, since many people can be behind one machine's address.
SCAN_FACTOR = 20
_SUBSCRIBER = 64


class Attempts(AxesDatabaseHandler):
    """Counts wrong attempts by e-mail address and machine, and by machine alone, less strictly."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Give how many wrong attempts weigh on this one.

        The order is that of AXES_LOCKOUT_PARAMETERS.
        """
        same_pair, same_machine = (
            attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        return max(int(same_pair), int(same_machine) // SCAN_FACTOR)


def username(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Give the e-mail address that somebody tries, in one spelling for all."""
    given = (credentials or {}).get("username") or request.POST.get("username") or ""
    return str(given).strip().lower().replace("\0", "")[:255]


def machine(request: HttpRequest) -> str | None:
    """Give whence a request came; of IPv6 the network, since one machine has all its addresses.

    Behind a proxy on this machine the server has read X-Forwarded-For already.
    """
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        network = ip_network((int(address), _SUBSCRIBER), strict=False)
        return str(network.network_address)
    return str(address)
