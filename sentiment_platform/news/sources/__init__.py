"""Where news comes from: the protocol of a source, its kinds, and the catalogue that says which there are and which are on."""
