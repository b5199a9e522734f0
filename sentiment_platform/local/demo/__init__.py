"""The whole loop once, on the sample that lies here."""
