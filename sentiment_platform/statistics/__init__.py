"""Ground floor: numbers about numbers. Metrics, calibration, significance and drift on plain arrays.

Nothing here knows articles, models, databases or Dagster. numpy at module level; scipy only inside the function that needs it,
because serving imports some of these files and `scipy.stats` alone costs seconds and 70 MB.
"""
