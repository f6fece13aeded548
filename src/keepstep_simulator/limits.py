"""How much of notifications a server allows, and how fast it goes about them."""

from dataclasses import dataclass

from keepstep_simulator.ews.versions import ServerVersion


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server allows.

    ``subscriptions`` for one mailbox (EWSMaxSubscriptions); ``streams`` open for one account or
    impersonated mailbox (HangingConnectionLimit); ``per_stream`` subscriptions in one of them;
    ``streaming``: whether there are streams at all.
    """

    subscriptions: int = 5000
    streams: int = 10
    per_stream: int = 200
    streaming: bool = True


def limits_of(version: ServerVersion) -> Limits:
    """Give the defaults of a version.

    Streaming came to 2010 with a service pack and is left out there, so that a client has a
    server to fall back at; a test may turn it on.
    """
    if version.name == "Exchange2010":
        return Limits(streaming=False)
    return Limits(streams=3 if version.name == "Exchange2013" else 10)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in seconds of the simulator's ticks.

    ``heartbeat``: how long a stream is silent before it says that it is alive; ``minute``: what
    StatusFrequency, ConnectionTimeout, retries and expiry count in, less where a test would not
    wait; ``patience``: how long a listener has to answer; ``gather``: how long events are gathered
    before they are told together.
    """

    heartbeat: float = 15.0
    minute: float = 60.0
    patience: float = 20.0
    gather: float = 0.0

    @property
    def first_retry(self) -> float:
        """Half a minute: when a listener that did not answer is tried again; later ones double."""
        return self.minute / 2

    @property
    def unattended(self) -> float:
        """How long a streaming subscription lives that no connection asks for: half an hour."""
        return 30 * self.minute
