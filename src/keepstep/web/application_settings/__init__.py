"""The settings pages: Exchange, e-mail, appointments, limits, and who changed what."""
