"""Tests of the stand-in Exchange server."""
