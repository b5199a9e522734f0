"""What every request passes before a handler sees it: limits, keys and roles; and the API's own description."""
