"""`flags`: the switches that turn a part of the platform off while it runs."""

import getpass

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import joined, print_json, say, show_table, styled
from sentiment_platform.commands.parameters import json_option
from sentiment_platform.flags import FLAGS


@click.group()
def flags() -> None:
    """Switches that turn a part of the platform off while it runs.

    \b
    Example:
      sentiment-platform flags list
    """


@flags.command("list")
@json_option
def list_flags(as_json: bool) -> None:
    """What is on and off, and who turned it last.

    As JSON: one object a switch (name, enabled, revision, reason, actor, changed_at).

    \b
    Example:
      sentiment-platform flags list
    """
    from msgspec import to_builtins

    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.flags import read_flags

    with connected_session() as (_, engine), engine.connect() as connection:
        stored = read_flags(connection)
    if as_json:
        print_json([to_builtins(flag) for flag in stored])
        return
    rows = [
        (flag.name, "on" if flag.enabled else "off", flag.actor or "", flag.changed_at, flag.reason or "", FLAGS[flag.name])
        for flag in stored
    ]
    show_table(["name", "is", "turned by", "at", "why", "what it allows"], rows, empty="There are no switches.")


@flags.command("set")
@click.argument("name", type=click.Choice(list(FLAGS)))
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
def set_command(name: str, state: str, reason: str) -> None:
    """Turn a switch: every serving process goes by it within 2 seconds, the graph at its next look. The same again changes nothing.

    \b
    Example:
      sentiment-platform flags set transformer off --reason "answers are wrong since noon"
    """
    from sentiment_platform.flags import spread
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.flags import read_flags, set_flag

    with connected_session() as (settings, engine):
        with engine.begin() as connection:
            flag = set_flag(
                connection,
                name,
                enabled=state == "on",
                expected=None,
                reason=reason,
                actor=getpass.getuser(),
                at=utc_now(),
            )
            every = read_flags(connection)
        told = spread(settings.redis_url, every)
    how = "" if told else " Redis was not told: serving hears of it from the database."
    say(joined(styled(flag.name, "green"), f" is {'on' if flag.enabled else 'off'} (change {flag.revision}).{how}"))
