"""How a change comes to be known before the next poll: subscriptions, streams, the listener."""
