"""The job schedulers: list, change, add, run now, and the history of their runs."""
