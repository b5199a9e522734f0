"""How the graph is run without a daemon: one job, a range of days, and what becomes of runs whose process died."""
