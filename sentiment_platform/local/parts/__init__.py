"""The servers of the local stack, one file each, and the secrets they share."""
