"""The calibration head that stands behind every scorer: its arithmetic, its fitting, and how it turns probabilities into a label."""
