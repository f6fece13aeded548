"""The connectors: all that knows a wire format."""
