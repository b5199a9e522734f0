"""What is wrong now, and who hears of it: looks, incidents, delivery."""
