"""`models restore` and `models sync`: what is left to do where somebody deleted a release, or the database is gone."""

import getpass
from functools import partial
from typing import Any

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import say, styled
from sentiment_platform.commands.parameters import COUNT, REASON
from sentiment_platform.commands.published import tell_published
from sentiment_platform.registry.versions import DeploymentTag


class Revision(click.ParamType[int]):
    """A revision, as a number or as the tag of its deployment."""

    name = "revision"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See `click.ParamType`."""
        tag = DeploymentTag.find(str(value))
        return tag.revision if tag else COUNT.convert(value, param, ctx)


@click.command()
@click.argument("revision", type=Revision())
@click.option("--reason", type=REASON, default="its release was deleted", help="Why; it is recorded.")
def restore(revision: int, reason: str) -> None:
    """Publish the content of REVISION again, as the next revision; the database still knows what its deleted release said.

    \b
    Example:
      sentiment-platform models restore 41
      sentiment-platform models restore deploy-000041
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.promotion.intents import intent_of_restore
    from sentiment_platform.promotion.next_revision import publish
    from sentiment_platform.registry.access import RegistryAccess

    with connected_session() as (settings, engine):
        actor = getpass.getuser()
        intent = partial(intent_of_restore, revision=revision, actor=actor, reason=reason)
        promoted = publish(engine, RegistryAccess(settings), intent, holder=actor, now=utc_now, restores=True)
        tell_published(promoted, settings)


@click.command()
def sync() -> None:
    """Enter every signed release that the database lacks, versions and deployments, and say what differs. A lost database is rebuilt so.

    \b
    Example:
      sentiment-platform models sync
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.promotion.mirror import synchronise
    from sentiment_platform.registry.access import RegistryAccess

    with connected_session() as (settings, engine), RegistryAccess(settings).writer(utc_now) as registry:
        outcome = synchronise(engine, registry)
    entered = [*outcome.versions, *outcome.deployments]
    say(f"Entered: {', '.join(entered)}." if entered else "The database knew every release.")
    for tag, why in outcome.refused.items():
        say(styled(tag, "yellow"), f": not believed. {why}")
    for tag in outcome.changed:
        say(styled(tag, "yellow"), ": has other content in the registry than the database knows.")
    for tag in outcome.lost:
        remedy = f" Publish what it said: sentiment-platform models restore {int(tag[7:])}" if tag.startswith("deploy-") else ""
        say(styled(tag, "yellow"), f": is no longer in the registry.{remedy}")
