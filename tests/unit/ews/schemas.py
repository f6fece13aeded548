"""Microsoft's schemas, for the check that a request is one that Exchange takes."""

from __future__ import annotations

from functools import lru_cache

from lxml import etree

from keepstep.exchange.ews.versions import ExchangeVersion
from tests.shared_material import shared

FOLDERS = {
    ExchangeVersion.EXCHANGE_2010: "exchange2010",
    ExchangeVersion.EXCHANGE_2013: "exchange2013",
    ExchangeVersion.EXCHANGE_2016: "current",
    ExchangeVersion.EXCHANGE_2019: "current",
    ExchangeVersion.EXCHANGE_SE: "current",
}


@lru_cache
def schema_of(version: ExchangeVersion) -> etree.XMLSchema:
    """Give the messages schema (it includes the types) that a version publishes."""
    path = shared("ews-schema", FOLDERS[version], "messages.xsd")
    return etree.XMLSchema(etree.parse(str(path)))


def faults_of(envelope: bytes, version: ExchangeVersion) -> list[str]:
    """Give what the schemas find wrong with a request: its headers and its operation."""
    schema = schema_of(version)
    root = etree.fromstring(envelope)
    header, body = root
    assert len(body) == 1
    faults = []
    for element in [*header, *body]:
        if not schema.validate(element):
            faults += str(schema.error_log).splitlines()
    return faults
