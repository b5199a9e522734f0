"""SQL of the switches (`flags`): what they are, and a change with its audit row."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from sentiment_platform.errors import ConflictError, PermanentError, PlatformError
from sentiment_platform.flags import FLAGS, Flag
from sentiment_platform.store import audit
from sentiment_platform.store.tables import FeatureFlag


def read_flags(connection: Connection) -> list[Flag]:
    """Every switch, in the order of `FLAGS`."""
    stored = {row["name"]: Flag(**row) for row in connection.execute(select(FeatureFlag.__table__)).mappings()}
    return [stored.get(name, Flag(name=name)) for name in FLAGS]


def is_enabled(connection: Connection, name: str) -> bool:
    """Whether the switch is on."""
    return next(flag.enabled for flag in read_flags(connection) if flag.name == name)


def is_switched_off(engine: Callable[[], Engine], name: str) -> bool:
    """Whether the switch is known to be off; where no database answers, whoever needs one says so."""
    try:
        with engine().connect() as connection:
            return not is_enabled(connection, name)
    except (PlatformError, SQLAlchemyError):
        return False


def set_flag(
    connection: Connection,
    name: str,
    *,
    enabled: bool,
    expected: bool | None,
    reason: str,
    actor: str,
    at: datetime,
    dry_run: bool = False,
) -> Flag:
    """Turn a switch; the same again changes nothing.

    Args:
        dry_run: store nothing, and answer what would stand.

    Raises:
        PermanentError: there is no such switch. ConflictError: it is not `expected` now.
    """
    if name not in FLAGS:
        raise PermanentError(f"There is no switch {name!r}.", remedy=f"There are {', '.join(FLAGS)}.")
    table = FeatureFlag
    if not dry_run:
        connection.execute(insert(table).values(name=name, enabled=True, revision=0).on_conflict_do_nothing())
        connection.execute(select(table.name).where(table.name == name).with_for_update())
    now = next(flag for flag in read_flags(connection) if flag.name == name)
    if expected is not None and now.enabled != expected:
        raise ConflictError(
            f"{name} is {'on' if now.enabled else 'off'} already{f', by {now.actor}' if now.actor else ''}.",
            remedy="Look at GET /flags and decide again.",
        )
    if now.enabled == enabled:
        return now
    flag = Flag(name=name, enabled=enabled, revision=now.revision + 1, reason=reason, actor=actor, changed_at=at)
    if dry_run:
        return flag
    values = {key: getattr(flag, key) for key in ("enabled", "revision", "reason", "actor", "changed_at")}
    connection.execute(update(table).where(table.name == name).values(values))
    detail = {"before": now.enabled, "after": enabled, "reason": reason}
    audit.record(connection, at=at, actor=actor, action="flag:set", subject=name, detail=detail)
    return flag
