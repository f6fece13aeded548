"""The wire face of the simulator: Exchange Web Services, one file per operation."""
