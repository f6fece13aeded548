"""Meetings as tables for reports: who met whom, and how often."""
