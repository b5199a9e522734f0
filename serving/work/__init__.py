"""How much work is taken, and in which order: costs, the queue of the models' threads, the share of the event loop."""
