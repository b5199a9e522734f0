"""The dashboard: its source and its build (`README.md`), and how its built files are read."""
