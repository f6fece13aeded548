"""Calendar: pages."""
