"""Failure and recovery e-mails: their words, and how they are sent."""
