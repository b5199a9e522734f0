"""What was answered, kept on disk first and shipped to PostgreSQL afterwards."""
