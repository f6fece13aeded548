"""Health: pages."""
