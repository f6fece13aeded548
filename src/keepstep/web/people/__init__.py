"""People: pages."""
