"""The operators: list, one by one, import and export."""
