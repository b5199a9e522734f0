"""`keys`: API keys of serving."""

from datetime import timedelta
from typing import Any

import click
from rich.table import Table

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.errors import PermanentError
from sentiment_platform.local.session import connected_session
from sentiment_platform.store import audit
from sentiment_platform.store.api_keys import ROLES, create_key, list_keys, revoke_key


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command()
@click.option(
    "--role", type=click.Choice(ROLES), required=True, help="What the key may do; a role may whatever those before it may."
)
@click.option("--owner", required=True, help="Who uses it; appears in the audit trail.")
@click.option("--days", type=int, help="Days until it expires; default: never.")
@shows_errors
def create(role: Any, owner: str, days: int | None) -> None:
    """Make a key. It is shown once and cannot be shown again."""
    with connected_session() as (_, engine), engine.begin() as connection:
        key = create_key(connection, role, owner, utc_now() + timedelta(days=days) if days else None)
        audit.record(
            connection,
            at=utc_now(),
            actor="command line",
            action="key:create",
            subject=key.split("_")[1],
            detail={"role": role, "owner": owner},
        )
    console.print(key)


@keys.command("list")
@shows_errors
def list_command() -> None:
    """Every key, without its secret."""
    with connected_session() as (_, engine), engine.connect() as connection:
        rows = list_keys(connection)
    table = Table("id", "role", "owner", "created", "expires", "revoked")
    for row in rows:
        table.add_row(*(f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "strftime") else str(value or "") for value in row.values()))
    console.print(table)


@keys.command()
@click.argument("key_id")
@shows_errors
def revoke(key_id: str) -> None:
    """Make a key useless from now on. Revoking it again changes nothing; an id that no key has is an error."""
    with connected_session() as (_, engine), engine.begin() as connection:
        revoked = revoke_key(connection, key_id)
        known = revoked or key_id in {row["id"] for row in list_keys(connection)}
        audit.record(
            connection, at=utc_now(), actor="command line", action="key:revoke", subject=key_id, detail={"found": revoked}
        )
    if not known:
        # Whoever mistyped it must not believe that the key is dead.
        raise PermanentError(
            f"There is no key {key_id}; nothing was revoked.", remedy="`sentiment-platform keys list` shows their ids."
        )
    console.print(f"[green]{key_id} is revoked.[/]" if revoked else f"[yellow]{key_id} was revoked before.[/]")
