"""Has a distribution moved? One test a file, and both over many features."""
