"""Ids of predictions that prove themselves: whoever shows one was given it, or was told by whoever was.

An id is a UUID of version 7 (RFC 9562): milliseconds, then 40 random bits and 34 bits of an HMAC over both. All processes that share the secret
know each other's ids, without a database.
"""

import contextlib
import hmac
import os
import secrets
import uuid
from hashlib import sha256
from pathlib import Path

SECRET_FILE = "prediction-ids.secret"  # noqa: S105  a name, no secret
"""In the state folder, where no pepper is set: the processes of one machine share it."""
RANDOM_BITS, MAC_BITS = 40, 34


class PredictionIds:
    """Makes and knows ids.

    Args:
        secret: 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def new(self, timestamp_s: float) -> str:
        """An id of this moment."""
        return self._with_mac(int(timestamp_s * 1000), secrets.randbits(RANDOM_BITS))

    def is_ours(self, prediction_id: str) -> bool:
        """Whether it was made with this secret. Compares in constant time."""
        try:
            value = uuid.UUID(prediction_id).int
        except ValueError:
            return False
        bits = (value >> 64 & 0xFFF) << 62 | value & (1 << 62) - 1
        return hmac.compare_digest(self._with_mac(value >> 80, bits >> MAC_BITS), prediction_id)

    def _with_mac(self, milliseconds: int, random_bits: int) -> str:
        signed = (milliseconds << RANDOM_BITS | random_bits).to_bytes(11, "big")
        mac = int.from_bytes(hmac.digest(self._secret, signed, "sha256")[:8], "big") >> (64 - MAC_BITS)
        bits = random_bits << MAC_BITS | mac
        return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & (1 << 62) - 1))


def signing_secret(pepper: str, folder: Path) -> bytes:
    """The secret of this deployment's ids: of the pepper, or of a file in `folder` that is made once."""
    if pepper:
        return sha256(b"prediction ids\0" + pepper.encode()).digest()
    path = folder / SECRET_FILE
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Whole or not there: another process may read it at once.
        draft = path.with_name(f"{SECRET_FILE}.{os.getpid()}")
        draft.touch(0o600)
        draft.write_bytes(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes()
