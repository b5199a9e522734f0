"""The lines to PostgreSQL and Redis: bounded waits, and what is known of their health."""
