"""How good a version is: on the holdout, on contrast pairs, on golden sentences; and what it costs."""
