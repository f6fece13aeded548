"""Keepstep keeps the calendars of a sales application in step with Microsoft Exchange."""

__version__ = "0.1.0"
