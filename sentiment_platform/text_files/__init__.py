"""The one reader of text files that others wrote: their encoding, their delimiter, their header, the maps of their columns."""
