"""How long the trials take; each is an environment variable, so that a minute shows whether all of it works."""

import os

SOAK_S = float(os.environ.get("SOAK_S", "1200"))
"""Seconds of mixed load, with four swaps and ten faults in them: a swap every five and a fault every two of twenty minutes."""
DRAINS = int(os.environ.get("SOAK_DRAINS", "20"))
SWAPS = int(os.environ.get("SOAK_SWAPS", "200"))
SWAP_EVERY_S = float(os.environ.get("SOAK_SWAP_EVERY_S", "3"))
"""From one deployment to the next: 200 in ten minutes. With 0 they follow one another at once, and what publishes them has the machine busy."""
CLIENTS_S = float(os.environ.get("SOAK_CLIENTS_S", "60"))
"""Seconds of 100 clients at once."""
SLOW_SOCKETS = int(os.environ.get("SOAK_SLOW_SOCKETS", "1000"))
EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "200"))
"""Requests that are made up for each operation of the OpenAPI document."""
RAW_REQUESTS = int(os.environ.get("SOAK_RAW_REQUESTS", "10000"))
SEED = int(os.environ.get("SOAK_SEED", "16"))
"""Of faults and of made-up requests: the same seed, the same trial."""
