"""The whole sync engine under a scheduler, a clock, a network and a disk that the test owns.

Everything is fixed by a seed: a run of the same seed is the same run, to the last request. See
docs/decisions/0006-simulation.md; `python -m tests.simulation --help`.
"""
