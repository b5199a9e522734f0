"""Prices and the exchange calendar: what could be traded when, and for how much."""
