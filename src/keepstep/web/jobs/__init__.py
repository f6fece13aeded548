"""Jobs: pages."""
