"""Everything that may stand in our Redis, by the first word of its key. What is there under another word was not written by us.

Values expire by themselves; Redis holds nothing that cannot be made again. Who writes what is in the module that each line names.
"""

from typing import Any

KEY_SPACES: dict[str, str] = {
    "features": "Feature vectors: features:{schema}:{entity}, a day (`features.online`).",
    "prediction": "Predictions: prediction:{manifest digest}:{schema}:{hash}, an hour less up to a tenth (`serving.predict.cache`).",
    "rate": "Metadata: rate:{identity}, what an identity may still ask for.",
    "flags": "Metadata: flags, the feature flags as last read from PostgreSQL.",
}


def unknown_keys(client: Any, limit: int = 100) -> list[str]:
    """Keys outside of every key space, at most `limit`; reads every key, so for an hourly look and not for a request."""
    found: list[str] = []
    for raw in client.scan_iter(count=1000):
        name = raw.decode(errors="replace")
        if name.partition(":")[0] not in KEY_SPACES:
            found.append(name)
            if len(found) == limit:
                break
    return found
