"""The shell that polls: rounds, runs, the job scheduler."""
