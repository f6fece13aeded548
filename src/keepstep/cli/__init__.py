"""The command line of Keepstep."""
