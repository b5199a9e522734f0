"""API keys: made, checked, revoked. Only a hash of the secret is stored; the key is shown once."""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.errors import PermanentError
from sentiment_platform.store.key_form import hash_of, read_key
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
    connection.execute(
        insert(ApiKey).values(id=key_id, secret_hash=hash_of(secret), role=role, owner=owner, expires_at=expires_at)
    )
    return f"sp_{key_id}_{secret}"


def check_key(connection: Connection, presented: str, now: datetime) -> KeyHolder | None:
    """The holder of a valid key; None for an unknown, wrong, expired or revoked one. Compares in constant time."""
    key = read_key(presented)
    row = connection.execute(select(ApiKey.__table__).where(ApiKey.id == key.key_id)).first() if key else None
    # An unknown id costs the same comparison as a known one.
    matches = hmac.compare_digest(key.secret_hash if key else "", row.secret_hash if row else hash_of(""))
    if row is None or not matches or row.revoked_at or (row.expires_at and row.expires_at <= now):
        return None
    return KeyHolder(row.id, row.role, row.owner)


class Claim(Protocol):
    """Somebody's word that he holds a key, with the moment in which he gave it."""

    @property
    def key_id(self) -> str: ...
    @property
    def secret_hash(self) -> str: ...
    @property
    def at(self) -> datetime: ...


def true_claims(connection: Connection, claims: Collection[Claim]) -> list[bool]:
    """Whether each claim is of a key that was valid in its moment, in the order of `claims`."""
    query = select(ApiKey.id, ApiKey.secret_hash, ApiKey.revoked_at, ApiKey.expires_at)
    known = {row.id: row for row in connection.execute(query.where(ApiKey.id.in_({claim.key_id for claim in claims})))}

    def is_true(claim: Claim) -> bool:
        row = known.get(claim.key_id)
        if row is None or not hmac.compare_digest(claim.secret_hash, row.secret_hash):
            return False
        return all(end is None or claim.at < end for end in (row.revoked_at, row.expires_at))

    return [is_true(claim) for claim in claims]


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
