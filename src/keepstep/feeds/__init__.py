"""Calendars that other programs subscribe to, as iCalendar."""
