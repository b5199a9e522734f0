"""Long trials of a serving process: load, swaps, faults, drains, slow and hostile clients. `make soak`; short forms are in the tests."""
