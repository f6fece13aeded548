"""What most tests of the simulator begin with."""

import pytest

from keepstep_simulator import MailboxModel, Simulator
from tests.simulator.soap import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Simulator:
    return Simulator(clock=clock, seed=1)


@pytest.fixture
def mailbox(simulator: Simulator) -> MailboxModel:
    return simulator.add_mailbox("anna@example.com", "Anna Berg")
