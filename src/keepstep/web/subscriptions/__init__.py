"""Calendars to subscribe to: the feed for other programs, the page where its address is made."""
