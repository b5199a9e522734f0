"""`db`: migrations of the platform's tables."""

import click

from sentiment_platform.commands.console import note, say
from sentiment_platform.errors import PermanentError


@click.group()
def db() -> None:
    """Migrations of the platform's tables.

    \b
    Example:
      sentiment-platform db check
    """


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest revision. Every command does that too; this one does nothing else.

    \b
    Example:
      sentiment-platform db upgrade
    """
    from sentiment_platform.local.session import session

    with session(log=note):
        say("The database is at the newest revision.", style="green")


@db.command("check")
def db_check() -> None:
    """Compare the database with the typed models; exits with 1 when they differ.

    \b
    Example:
      sentiment-platform db check
    """
    from sentiment_platform.local.session import session
    from sentiment_platform.store.migrate import differences

    with session(log=note) as settings:
        drifted = differences(settings.direct_database_url())
    for difference in drifted:
        say(str(difference), style="red")
    if drifted:
        raise PermanentError(
            f"Database and models differ in {len(drifted)} places.",
            remedy="A migration is missing, or the tables were changed by hand: see sentiment_platform/store/SCHEMA.md.",
        )
    say("Database and models agree.", style="green")
