"""The form of an API key, `sp_<id>_<secret>`, taken apart. Apart from `api_keys.py`: serving reads keys without the database library."""

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """What somebody presents as a key: its id, and the secret hashed as the table of keys has it."""

    key_id: str
    secret_hash: str


def read_key(presented: str) -> PresentedKey | None:
    """The parts of a key; None for a text that has not the form of one. Whether it is a valid one, the table says."""
    # PostgreSQL refuses a NUL and UTF-8 a lone surrogate with an error, and neither is in any key.
    if not (presented.isascii() and presented.isprintable()):
        return None
    prefix, _, rest = presented.partition("_")
    key_id, _, secret = rest.partition("_")
    return PresentedKey(key_id, hash_of(secret)) if prefix == "sp" and key_id and secret else None


def hash_of(secret: str) -> str:
    """SHA-256 in hex: a random 256-bit secret needs no slow hash, there is nothing to guess."""
    return sha256(secret.encode()).hexdigest()
