"""Processes that are started, watched, started again and never left behind."""
