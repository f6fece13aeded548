"""Hosts that no setting may lead to, in every notation; private ones stay allowed."""

from __future__ import annotations

import pytest

from keepstep.core.addresses import is_forbidden

METADATA = [
    "169.254.169.254",
    "169.254.0.1",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "0xA9.0xFE.0xA9.0xFE",
    "fd00:ec2::254",
    "[fd00:ec2::254]",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fe80::1%eth0",
    "100.100.100.200",
    "168.63.129.16",
    "224.0.0.1",
    "ff02::1",
    "metadata",
    "Metadata.Google.Internal.",
    "instance-data.ec2.internal",
]
HOSTS = [
    "exchange.example.com",
    "localhost",
    "127.0.0.1",
    "2130706433",
    "::1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fd12:3456::1",
    "metadata.example.com",
    "169.254.169.254.example.com",
    "1.2.3.4.5",
    "300.1.1.1",
    "",
]


@pytest.mark.parametrize("host", METADATA)
def test_no_setting_may_lead_to_metadata(host: str) -> None:
    assert is_forbidden(host)


@pytest.mark.parametrize("host", HOSTS)
def test_all_other_hosts_are_allowed(host: str) -> None:
    assert not is_forbidden(host)
