"""API keys: made, checked, rotated, revoked. Only a hash of the secret is stored; the key is shown once."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.errors import PermanentError
from sentiment_platform.store.key_form import NOBODYS, StoredKey, hash_of, read_key, stored_hash
from sentiment_platform.store.roles import ROLES, SCOPES, Role
from sentiment_platform.store.tables import ApiKey

MAX_IN_FORCE = 10_000
"""Keys that serving keeps in memory, about 4 MB; the newest where there are more."""
_STORED = (
    ApiKey.id,
    ApiKey.secret_hash,
    ApiKey.role,
    ApiKey.owner,
    ApiKey.scopes,
    ApiKey.expires_at,
    ApiKey.revoked_at,
    ApiKey.previous_hash,
    ApiKey.previous_until,
)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who presented a valid key."""

    key_id: str
    role: Role
    owner: str


def create_key(
    connection: Connection,
    role: Role,
    owner: str,
    expires_at: datetime | None = None,
    *,
    scopes: Collection[str] = (),
    pepper: str = "",
) -> str:
    """Make a key `sp_<id>_<secret>` and store its hash; the return value is the only time the key is seen.

    Args:
        scopes: what it is limited to within its role; empty for all of that.
        pepper: SENTIMENT_KEY_PEPPER; serving needs the same.
    """
    if role not in ROLES:
        raise PermanentError(f"{role!r} is not a role.", remedy=f"Use one of {', '.join(ROLES)}.")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise PermanentError(f"{unknown[0]!r} is not a scope.", remedy=f"Use some of {', '.join(SCOPES)}.")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    connection.execute(
        insert(ApiKey).values(
            id=key_id,
            secret_hash=stored_hash(hash_of(secret), pepper),
            role=role,
            owner=owner,
            expires_at=expires_at,
            scopes=sorted(scopes) or None,
        )
    )
    return f"sp_{key_id}_{secret}"


def rotate_key(connection: Connection, key_id: str, overlap_until: datetime, *, now: datetime, pepper: str = "") -> str | None:
    """A new secret for a key, which keeps its id, role, owner, scopes and expiry; the secret before works until `overlap_until`.

    Returns:
        The key, seen this once; None where no key that works has that id.
    """
    secret = secrets.token_urlsafe(32)
    rotated = connection.execute(
        update(ApiKey)
        .where(ApiKey.id == key_id, _in_force(now))
        .values(previous_hash=ApiKey.secret_hash, previous_until=overlap_until, secret_hash=stored_hash(hash_of(secret), pepper))
        .returning(ApiKey.id)
    )
    return f"sp_{key_id}_{secret}" if rotated.first() is not None else None


def keys_in_force(connection: Connection, now: datetime) -> dict[str, StoredKey]:
    """Id -> key, of every key that is neither revoked nor expired; the newest `MAX_IN_FORCE`."""
    query = select(*_STORED).where(_in_force(now)).order_by(ApiKey.created_at.desc()).limit(MAX_IN_FORCE)
    return {row.id: _stored(row) for row in connection.execute(query)}


def check_key(connection: Connection, presented: str, now: datetime, pepper: str = "") -> KeyHolder | None:
    """The holder of a valid key; None for an unknown, wrong, expired or revoked one. Compares in constant time."""
    key = read_key(presented)
    row = connection.execute(select(*_STORED).where(ApiKey.id == key.key_id)).first() if key else None
    stored = _stored(row) if row else NOBODYS
    admitted = stored.admits(key.secret_hash if key else "", now, pepper)
    return KeyHolder(stored.key_id, stored.role, stored.owner) if row and admitted and not stored.revoked_at else None


class Claim(Protocol):
    """Somebody's word that he holds a key, with the moment in which he gave it."""

    @property
    def key_id(self) -> str: ...
    @property
    def secret_hash(self) -> str: ...
    @property
    def at(self) -> datetime: ...


def true_claims(connection: Connection, claims: Collection[Claim], pepper: str = "") -> list[bool]:
    """Whether each claim is of a key that was valid in its moment and may give feedback, in the order of `claims`."""
    query = select(*_STORED).where(ApiKey.id.in_({claim.key_id for claim in claims}))
    known = {row.id: _stored(row) for row in connection.execute(query)}

    def is_true(claim: Claim) -> bool:
        stored = known.get(claim.key_id)
        if stored is None or (stored.scopes is not None and "feedback" not in stored.scopes):
            return False
        return stored.admits(claim.secret_hash, claim.at, pepper)

    return [is_true(claim) for claim in claims]


def revoke_key(connection: Connection, key_id: str) -> bool:
    """Make a key useless from now on, the secret before a rotation too; False when there is no such key."""
    result = connection.execute(
        update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=func.now()).returning(ApiKey.id)
    )
    return result.first() is not None


def mark_used(connection: Connection, used: Mapping[str, datetime]) -> None:
    """Id of a key -> when it was used last. An earlier moment than the stored one changes nothing."""
    for key_id, at in sorted(used.items()):
        connection.execute(
            update(ApiKey)
            .where(ApiKey.id == key_id, or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < at))
            .values(last_used_at=at)
        )


def list_keys(connection: Connection) -> list[dict[str, object]]:
    """Every key without its hash, newest first."""
    columns = (
        ApiKey.id,
        ApiKey.role,
        ApiKey.owner,
        ApiKey.created_at,
        ApiKey.expires_at,
        ApiKey.revoked_at,
        ApiKey.scopes,
        ApiKey.previous_until,
        ApiKey.last_used_at,
    )
    return [dict(row) for row in connection.execute(select(*columns).order_by(ApiKey.created_at.desc())).mappings()]


def _in_force(now: datetime) -> ColumnElement[bool]:
    return ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)


def _stored(row: Any) -> StoredKey:
    return StoredKey(
        key_id=row.id,
        secret_hash=row.secret_hash,
        role=row.role,
        owner=row.owner,
        scopes=frozenset(row.scopes) if row.scopes is not None else None,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        previous_hash=row.previous_hash,
        previous_until=row.previous_until,
    )
