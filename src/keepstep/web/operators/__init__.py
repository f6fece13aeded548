"""Operators: pages."""
