"""`keys`: API keys of serving."""

from datetime import timedelta
from typing import cast

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import Cell, print_json, say, show_table
from sentiment_platform.commands.parameters import Number, json_option
from sentiment_platform.errors import PermanentError
from sentiment_platform.store.roles import ROLES, SCOPES, Role

MAX_DAYS = 36_500
MAX_OVERLAP_HOURS = 24 * 90


@click.group()
def keys() -> None:
    """Create, list, rotate and revoke API keys.

    \b
    Example:
      sentiment-platform keys list
    """


@keys.command()
@click.option(
    "--role", type=click.Choice(ROLES), required=True, help="What the key may do; a role may whatever those before it may."
)
@click.option("--owner", required=True, help="Who uses it; appears in the audit trail.")
@click.option("--days", type=Number(1, MAX_DAYS), help="Days until it expires; default: never.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    help="What it is limited to within its role; may be given several times. Default: all that its role may.",
)
def create(role: str, owner: str, days: int | None, scopes: tuple[str, ...]) -> None:
    """Make a key. It is shown once and cannot be shown again.

    Nothing else is on stdout. Serving needs the SENTIMENT_KEY_PEPPER that this command has.

    \b
    Example:
      sentiment-platform keys create --role viewer --owner dashboard --days 90
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store import audit
    from sentiment_platform.store.api_keys import create_key

    with connected_session() as (settings, engine), engine.begin() as connection:
        key = create_key(
            connection,
            cast(Role, role),
            owner,
            utc_now() + timedelta(days=days) if days else None,
            scopes=scopes,
            pepper=settings.key_pepper,
        )
        audit.record(
            connection,
            at=utc_now(),
            actor="command line",
            action="key:create",
            subject=key.split("_")[1],
            detail={"role": role, "owner": owner, **({"scopes": list(scopes)} if scopes else {})},
        )
    say(key)


@keys.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """Every key, without its secret.

    As JSON: one object a key (id, role, owner, created_at, expires_at, revoked_at, scopes, previous_until, last_used_at).
    `previous_until`: until then the secret before the last rotation works too. `last_used_at` is right to the minute.

    \b
    Example:
      sentiment-platform keys list --json
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.api_keys import list_keys

    with connected_session() as (_, engine), engine.connect() as connection:
        rows = [dict(row) for row in list_keys(connection)]
    if as_json:
        print_json(rows)
        return
    show_table(
        ["id", "role", "owner", "created", "expires", "revoked", "scopes", "old secret until", "last used"],
        [cast(list[Cell], list({**row, "scopes": _spelled(row["scopes"])}.values())) for row in rows],
        empty="There are no keys yet. Make one: sentiment-platform keys create --role viewer --owner NAME",
    )


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap-hours",
    type=Number(0, MAX_OVERLAP_HOURS),
    default=24,
    show_default=True,
    help="Hours in which the old secret works too; 0 where somebody else may have it.",
)
def rotate(key_id: str, overlap_hours: int) -> None:
    """Give a key a new secret. It is shown once; id, role, owner, scopes and expiry stay.

    Nothing else is on stdout. Of two rotations within the overlap the newest secret and the one before it work.

    \b
    Example:
      sentiment-platform keys rotate 3f9a1c22 --overlap-hours 48
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store import audit
    from sentiment_platform.store.api_keys import rotate_key

    now = utc_now()
    overlap_until = now + timedelta(hours=overlap_hours)
    with connected_session() as (settings, engine), engine.begin() as connection:
        key = rotate_key(connection, key_id, overlap_until, now=now, pepper=settings.key_pepper)
        if key is not None:
            detail = {"old_secret_until": overlap_until.isoformat()}
            audit.record(connection, at=now, actor="command line", action="key:rotate", subject=key_id, detail=detail)
    if key is None:
        raise PermanentError(
            f"No key that works has the id {key_id}; nothing was changed.",
            remedy="`sentiment-platform keys list` shows their ids.",
        )
    say(key)


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Make a key useless from now on. Revoking it again changes nothing; an id that no key has is an error.

    \b
    Example:
      sentiment-platform keys revoke 3f9a1c22
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store import audit
    from sentiment_platform.store.api_keys import list_keys, revoke_key

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
    say(f"{key_id} is revoked.", style="green") if revoked else say(f"{key_id} was revoked before.", style="yellow")


def _spelled(scopes: object) -> Cell:
    return ", ".join(cast(list[str], scopes)) if scopes else None
