"""The tests of Keepstep."""
