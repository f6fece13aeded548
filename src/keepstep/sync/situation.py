"""What holds in this process now: settings, means, jobs; and how a run goes about it by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from keepstep.core.shares import Shares, shares_of
from keepstep.store.jobs import JobDefinition
from keepstep.store.settings import ApplicationSettings
from keepstep.sync.agenda import Agenda
from keepstep.sync.guard import Guard
from keepstep.sync.precedence import Precedence
from keepstep.sync.round import Means, poll
from keepstep.sync.run import Manner, Work
from keepstep.sync.service import VERIFICATION, manner_of


@dataclass(slots=True)
class Situation:
    """What the scheduler keeps up to date, and whoever runs a job goes by.

    `loaded` are the settings as they are stored, `settings` the last that let rounds be run; with
    `means` None nothing is to be done. `agenda` has the enabled jobs.
    """

    loaded: ApplicationSettings | None = None
    settings: ApplicationSettings | None = None
    means: Means | None = None
    agenda: Agenda = field(default_factory=Agenda)
    guard: Guard = field(default_factory=Guard)
    precedence: Precedence = field(default_factory=Precedence)

    @property
    def shares(self) -> Shares | None:
        """Give how connections are divided in the fleet, None while nothing is to be done."""
        if self.means is None or self.settings is None:
            return None
        return shares_of(self.settings.connection_limit)

    def manner(self, work: Work = poll) -> Manner:
        """Give how this process goes about a run."""
        assert self.settings is not None, "a job runs only where they were read"
        return manner_of(self.settings, work=work, guard=self.guard, precedence=self.precedence)

    def safety_poll(self, job: JobDefinition) -> timedelta | None:
        """Give for how long the job leaves out a mailbox that is told of (None: it does not)."""
        assert self.settings is not None, "a job runs only where they were read"
        return None if job.kind == VERIFICATION else timedelta(minutes=self.settings.safety_poll)
