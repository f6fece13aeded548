"""The pure heart: values and decisions. No Django, no clock, no I/O."""
