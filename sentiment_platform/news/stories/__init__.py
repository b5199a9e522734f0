"""Which articles and texts tell the same story."""
