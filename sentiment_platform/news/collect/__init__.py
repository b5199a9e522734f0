"""One run of collection: which days, a source's turn, what it asks with, how far it has come."""
