"""The VADER family: the engine with what was learned, and the learning."""
