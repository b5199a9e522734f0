"""Which versions answer: polled, fetched, verified, loaded, swapped; and what people selected."""
