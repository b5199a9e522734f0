"""GETs of addresses that others name: bounded, guarded against internal addresses, polite. What is fetched is for the subjects."""
