"""Figures of the product, each beside its rival's from the same run. See docs/performance.md."""
