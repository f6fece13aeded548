"""Hosts that no setting may lead to: what a cloud tells its machines about themselves.

Loopback and private addresses stay allowed: Exchange on premises lives there.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address

_NETWORKS = tuple(
    ipaddress.ip_network(each)
    for each in (
        "169.254.0.0/16",  # link-local; 169.254.169.254 answers in most clouds
        "fe80::/10",
        "fd00:ec2::/32",  # Amazon's by IPv6
        "fd20:ce::/32",  # Google's by IPv6
        "100.100.100.200/32",  # Alibaba's
        "192.0.0.192/32",  # Oracle's older one
        "168.63.129.16/32",  # Azure's wire server
        "224.0.0.0/4",  # multicast: no server answers there
        "ff00::/8",
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAMES = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.internal",
        "metadata.azure.com",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.tencentyun.com",
        "metadata.platformequinix.com",
    }
)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,8}|0[0-7]{0,12}|[1-9][0-9]{0,10}")


@lru_cache(maxsize=256)
def is_forbidden(host: str) -> bool:
    """Say whether a host, a name or an address in any notation, must not be connected to.

    A name that resolves to a forbidden address is not found out here: what it resolves to is to
    be asked about as well, at the time of connecting.
    """
    name = host.strip("[]").partition("%")[0].rstrip(".").lower()
    if name in _NAMES:
        return True
    address = address_of(name)
    return address is not None and _leads_astray(address)


def is_inside(host: str) -> bool:
    """Say whether a host is this machine, or an address that the open internet does not reach.

    Names other than `localhost` are not: what they resolve to is to be asked about.
    """
    name = host.strip("[]").partition("%")[0].rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = address_of(name)
    return address is not None and _is_inside(address)


def _is_inside(address: Address) -> bool:
    inner = _inner(address)
    return not address.is_global or (inner is not None and _is_inside(inner))


def address_of(host: str) -> Address | None:
    """Give the address that a host is, None for a name.

    IPv4 is read as the libraries of C read it, too: `2852039166`, `0xa9.0xfe.43518`.
    """
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return _by_parts(host.rstrip("."))


def _leads_astray(address: Address) -> bool:
    inner = _inner(address)
    if inner is not None and _leads_astray(inner):
        return True
    return any(address in network for network in _NETWORKS)


def _inner(address: Address) -> IPv4Address | None:
    """Give the IPv4 address that an IPv6 address carries within, if it does."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _by_parts(host: str) -> IPv4Address | None:
    parts = host.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    numbers = [_number(part) for part in parts]
    last = numbers.pop()
    if any(each > 255 for each in numbers) or last >= 256 ** (4 - len(numbers)):
        return None
    upper = sum(each << (24 - 8 * place) for place, each in enumerate(numbers))
    return IPv4Address(upper + last)


def _number(text: str) -> int:
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    return int(text, 8 if text.startswith("0") else 10)
