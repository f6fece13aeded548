"""Which Exchange answers, which request versions it takes, and what it calls itself.

Build numbers are of published cumulative updates; ``RequestServerVersion`` values are those of the
schema's ExchangeVersionType.
"""

from dataclasses import dataclass

E2007, E2010, E2013, E2016 = range(4)
"""Ranks of request versions by the property sets they open."""

_RANKS = {
    "Exchange2007": E2007,
    "Exchange2007_SP1": E2007,
    "Exchange2010": E2010,
    "Exchange2010_SP1": E2010,
    "Exchange2010_SP2": E2010,
    "Exchange2012": E2013,
    "Exchange2013": E2013,
    "Exchange2013_SP1": E2013,
    "Exchange2015": E2016,
    "Exchange2016": E2016,
    "V2015_10_05": E2016,
    "V2016_01_06": E2016,
    "V2016_04_13": E2016,
    "V2016_07_13": E2016,
    "V2016_10_10": E2016,
    "V2017_01_07": E2016,
    "V2017_04_14": E2016,
    "V2017_07_11": E2016,
}
STREAMS_FROM = frozenset(_RANKS) - {"Exchange2007", "Exchange2007_SP1", "Exchange2010"}
"""The request versions that know of streaming: it came with the first service pack of 2010."""

DEFAULT_REQUEST = "Exchange2007_SP1"
"""What a request without RequestServerVersion is taken for (Microsoft's documentation)."""


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """A server: the rank of what it knows, and the ServerVersionInfo of its answers."""

    name: str
    rank: int
    major: int
    minor: int
    build: int
    revision: int
    schema: str

    def rank_of(self, request_version: str) -> int | None:
        """Give the rank of a request version, or None if this server does not know it."""
        rank = _RANKS.get(request_version)
        return None if rank is None or rank > self.rank else rank


SERVERS = {
    each.name: each
    for each in (
        ServerVersion("Exchange2010", E2010, 14, 3, 513, 0, "Exchange2010_SP2"),
        ServerVersion("Exchange2013", E2013, 15, 0, 1497, 48, "V2_23"),
        ServerVersion("Exchange2016", E2016, 15, 1, 2507, 39, "V2017_07_11"),
        ServerVersion("Exchange2019", E2016, 15, 2, 1544, 11, "V2017_07_11"),
        ServerVersion("ExchangeSE", E2016, 15, 2, 2562, 17, "V2017_07_11"),
    )
}
