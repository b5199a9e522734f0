"""API keys: made, checked, revoked. Only a hash of the secret is stored; the key is shown once."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.errors import PermanentError
from sentiment_platform.store.roles import ROLES, Role
from sentiment_platform.store.tables import ApiKey


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who presented a valid key."""

    key_id: str
    role: Role
    owner: str


def create_key(connection: Connection, role: Role, owner: str, expires_at: datetime | None = None) -> str:
    """Make a key `sp_<id>_<secret>` and store its hash; the return value is the only time the key is seen."""
    if role not in ROLES:
        raise PermanentError(f"{role!r} is not a role.", remedy=f"Use one of {', '.join(ROLES)}.")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    connection.execute(insert(ApiKey).values(id=key_id, secret_hash=_hash(secret), role=role, owner=owner, expires_at=expires_at))
    return f"sp_{key_id}_{secret}"


def check_key(connection: Connection, presented: str, now: datetime) -> KeyHolder | None:
    """The holder of a valid key; None for an unknown, wrong, expired or revoked one. Compares in constant time."""
    # The form first: PostgreSQL refuses a NUL and UTF-8 a lone surrogate with an error, and neither is in any key.
    if not (presented.isascii() and presented.isprintable()):
        return None
    prefix, _, rest = presented.partition("_")
    key_id, _, secret = rest.partition("_")
    row = connection.execute(select(ApiKey.__table__).where(ApiKey.id == key_id)).first() if prefix == "sp" else None
    # An unknown id costs the same comparison as a known one.
    matches = hmac.compare_digest(_hash(secret), row.secret_hash if row else _hash(""))
    if row is None or not matches or row.revoked_at or (row.expires_at and row.expires_at <= now):
        return None
    return KeyHolder(row.id, row.role, row.owner)


def revoke_key(connection: Connection, key_id: str) -> bool:
    """Make a key useless from now on; False when there is no such key."""
    result = connection.execute(
        update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=func.now()).returning(ApiKey.id)
    )
    return result.first() is not None


def list_keys(connection: Connection) -> list[dict[str, object]]:
    """Every key without its hash, newest first."""
    columns = (ApiKey.id, ApiKey.role, ApiKey.owner, ApiKey.created_at, ApiKey.expires_at, ApiKey.revoked_at)
    return [dict(row) for row in connection.execute(select(*columns).order_by(ApiKey.created_at.desc())).mappings()]


def _hash(secret: str) -> str:
    # A random 256-bit secret needs no slow hash: there is nothing to guess.
    return sha256(secret.encode()).hexdigest()
