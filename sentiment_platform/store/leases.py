"""Leases with fencing tokens: one writer a subject, and a writer that lost its lease is refused even if it is still running.

Source: Kleppmann, "How to do distributed locking", 2016 (fencing tokens). Time is the database's own clock.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from sentiment_platform.errors import ConflictError


@dataclass(frozen=True, slots=True)
class HeldLease:
    """Proof of holding `subject`; `token` is larger than that of every holder before."""

    subject: str
    token: int
    holder: str


def acquire(engine: Engine, subject: str, holder: str, ttl_s: float, *, take_over: bool = False) -> HeldLease:
    """Take the lease for `ttl_s` seconds; the same holder may take it again, which gives it a new token.

    Args:
        take_over: take it from whoever holds it. For work that something else already keeps single (a Dagster pool): a holder
            that is then still running is a zombie, and its writes are to be refused.

    Raises:
        ConflictError: somebody else holds it and it has not run out.
    """
    statement = text(
        """
        INSERT INTO platform.leases AS held (subject, token, holder, expires_at)
        VALUES (:subject, 1, :holder, now() + make_interval(secs => :ttl_s))
        ON CONFLICT (subject) DO UPDATE SET token = held.token + 1, holder = :holder, expires_at = now() + make_interval(secs => :ttl_s)
        WHERE held.expires_at < now() OR held.holder = :holder OR :take_over
        RETURNING token
        """
    )
    with engine.begin() as connection:
        token = connection.execute(
            statement, {"subject": subject, "holder": holder, "ttl_s": ttl_s, "take_over": take_over}
        ).scalar()
        if token is None:
            current = connection.execute(
                text("SELECT holder, expires_at FROM platform.leases WHERE subject = :subject"), {"subject": subject}
            ).one()
            raise ConflictError(
                f"{subject} is being written by {current.holder} until {current.expires_at:%H:%M:%S} UTC.",
                remedy="Wait for it to finish; a lease of a dead writer runs out by itself.",
            )
    return HeldLease(subject, int(token), holder)


def require(connection: Connection, lease: HeldLease) -> None:
    """Assert, inside the caller's transaction, that the lease is still the newest and alive; locks its row until commit.

    Raises:
        ConflictError: a later writer took it, or it ran out.
    """
    row = connection.execute(
        text("SELECT token, expires_at > now() AS alive FROM platform.leases WHERE subject = :subject FOR UPDATE"),
        {"subject": lease.subject},
    ).first()
    if row is None or row.token != lease.token or not row.alive:
        raise ConflictError(
            f"{lease.holder} no longer holds {lease.subject} (token {lease.token}).",
            remedy="Its work is stale and was not written; run it again.",
        )


def release(engine: Engine, lease: HeldLease) -> None:
    """Give the lease back; does nothing when it is no longer ours."""
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE platform.leases SET expires_at = now() WHERE subject = :subject AND token = :token"),
            {"subject": lease.subject, "token": lease.token},
        )
