"""How models show themselves to people: pictures and tables."""
