"""The form of an API key, `sp_<id>_<secret>`, and when a stored one admits it.

Apart from `api_keys.py`: serving reads and checks keys without the database library.
"""

import hmac
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sentiment_platform.store.roles import Role

PEPPERED = "hmac-sha256:"
"""What a hash begins with that was made with a pepper."""


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """What somebody presents as a key: its id, and the secret hashed without a pepper."""

    key_id: str
    secret_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key as the table has it.

    Attributes:
        scopes: what it is limited to; None for all that its role may.
        previous_hash: the secret before the rotation, which is taken until `previous_until`.
    """

    key_id: str
    secret_hash: str
    role: Role
    owner: str
    scopes: Collection[str] | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    previous_hash: str | None = None
    previous_until: datetime | None = None

    def admits(self, secret_hash: str, at: datetime, pepper: str) -> bool:
        """Whether a secret with this hash, which knows no pepper, was the key's in that moment. Compares in constant time."""
        matches = [hmac.compare_digest(spelling, self.secret_hash) for spelling in _spellings(secret_hash, pepper)]
        if self.previous_hash is not None and self.previous_until is not None and at < self.previous_until:
            matches += [hmac.compare_digest(spelling, self.previous_hash) for spelling in _spellings(secret_hash, pepper)]
        return any(matches) and all(end is None or at < end for end in (self.revoked_at, self.expires_at))


NOBODYS = StoredKey(key_id="", secret_hash=sha256().hexdigest(), role="viewer", owner="")
"""Compared where no key has the id that is presented, so that an unknown id costs what a known one does; no secret is empty."""


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


def stored_hash(secret_hash: str, pepper: str) -> str:
    """How the table keeps `hash_of` a secret. With a pepper, whoever can write the table alone cannot make a key of his own."""
    if not pepper:
        return secret_hash
    return PEPPERED + hmac.new(pepper.encode(), secret_hash.encode(), sha256).hexdigest()


def _spellings(secret_hash: str, pepper: str) -> Iterator[str]:
    """As it may stand in the table: keys from before there was a pepper go on working."""
    yield secret_hash
    if pepper:
        yield stored_hash(secret_hash, pepper)
