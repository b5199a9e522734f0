"""What the process sees of itself: how busy its event loop is, what it holds, what it logs."""
