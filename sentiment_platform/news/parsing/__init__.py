"""Bytes of feeds into items, in a process that can be lost."""
