"""`models promote` and `models rollback`: a person decides, sees what the evidence says of it, and names the revision that is left."""

import getpass
import uuid
from functools import partial
from typing import TYPE_CHECKING

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, say, styled
from sentiment_platform.commands.parameters import COUNT, REASON, VERSION
from sentiment_platform.commands.published import tell_published
from sentiment_platform.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from sentiment_platform.experiments.choice import ChosenPair
    from sentiment_platform.registry.access import RegistryAccess
    from sentiment_platform.registry.deployment import Deployment

seen = click.option(
    "--from",
    "expected",
    type=COUNT,
    metavar="N",
    help="Revision that you expect to leave, such as 42; default: the one in force now. Refused (1) where another is in force by then.",
)


@click.command()
@click.argument("version", type=VERSION)
@click.option("--reason", type=REASON, required=True, help="Why; it is recorded in the deployment and the audit trail.")
@seen
@click.option(
    "--against-the-evidence", "overrules", is_flag=True, help="Promote it although the comparison says that it is worse."
)
def promote(version: str, reason: str, expected: int | None, overrules: bool) -> None:
    """Make VERSION the champion of its family and its family the default, on your word instead of the gate's.

    It is compared with what runs on the newest holdout first; the deployment keeps what came of it. Where that says that VERSION is
    worse, or breaks a guardrail, nothing is published without --against-the-evidence.

    \b
    Examples:
      sentiment-platform models promote v1.2.0-vader --reason "fewer surprises on earnings days"
      sentiment-platform models promote v1.2.0-vader --from 42 --against-the-evidence --reason "the desk knows these words"
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.promotion.grounds import weigh_promotion
    from sentiment_platform.promotion.intents import intent_of_promotion
    from sentiment_platform.promotion.next_revision import publish
    from sentiment_platform.registry.access import RegistryAccess

    with connected_session() as (settings, engine):
        access, actor = RegistryAccess(settings), getpass.getuser()
        running = _in_force(engine, access, expected)
        wanted = intent_of_promotion(engine, version, actor, reason)
        content = (wanted.champions, wanted.default_family)
        if running is not None and content == (running.versions(), running.default_family):
            note(f"{version} answers already, with {running.tag}. Nothing was published.")
            return
        pairs = weigh_promotion(engine, access, running, content, run_id=f"promotion-{uuid.uuid4()}", now=utc_now)
        _tell(pairs, overrules=overrules)
        intent = partial(intent_of_promotion, version=version, actor=actor, reason=reason, pairs=pairs)
        left = _revision(running) if expected is None else expected
        tell_published(publish(engine, access, intent, holder=actor, now=utc_now, expected_revision=left), settings)


@click.command()
@click.option(
    "--to",
    "revision",
    type=COUNT,
    metavar="N",
    help="Revision whose content returns, such as 41; default: the newest with other content that no rollback left.",
)
@seen
@click.option("--reason", type=REASON, default="rolled back by hand", help="Why; it is recorded.")
def rollback(revision: int | None, expected: int | None, reason: str) -> None:
    """Publish earlier content as the next revision; serving swaps within one poll.

    What a rollback left stays left: another one goes further back. What is stored of the comparison is told, and stops nothing.

    \b
    Examples:
      sentiment-platform models rollback
      sentiment-platform models rollback --from 43 --to 41 --reason "the new one shouts"
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.promotion.grounds import weigh_rollback
    from sentiment_platform.promotion.intents import intent_of_rollback
    from sentiment_platform.promotion.next_revision import publish
    from sentiment_platform.registry.access import RegistryAccess

    with connected_session() as (settings, engine):
        access, actor = RegistryAccess(settings), getpass.getuser()
        running = _in_force(engine, access, expected)
        wanted = intent_of_rollback(engine, actor, reason, revision)
        content = (wanted.champions, wanted.default_family)
        pairs = weigh_rollback(engine, running, content, run_id=f"rollback-{uuid.uuid4()}")
        _tell(pairs, overrules=True)
        intent = partial(intent_of_rollback, actor=actor, reason=reason, to_revision=revision, pairs=pairs)
        left = _revision(running) if expected is None else expected
        tell_published(publish(engine, access, intent, holder=actor, now=utc_now, expected_revision=left), settings)


def _in_force(engine: "Engine", access: "RegistryAccess", expected: int | None) -> "Deployment | None":
    """The newest deployment, once the database knows what the registry has.

    Raises:
        ConflictError: it is not the expected one; nothing is compared for a decision that nobody can take any more.
    """
    from sentiment_platform.promotion.deciding import running
    from sentiment_platform.promotion.mirror import synchronise_mirror
    from sentiment_platform.promotion.next_revision import require_revision

    with access.writer(utc_now) as registry:
        synchronise_mirror(engine, registry)
    if expected is not None:
        require_revision(engine, expected)
    return running(engine)


def _revision(running: "Deployment | None") -> int:
    return running.revision if running else 0


def _tell(pairs: "Sequence[ChosenPair]", *, overrules: bool) -> None:
    """Say what the evidence says.

    Raises:
        PermanentError: it speaks against the choice, and nobody overrules it.
    """
    from sentiment_platform.experiments.choice import against

    for pair in pairs:
        say(styled(pair.verdict or "not compared", "red" if pair.speaks_against else "cyan"), f": {pair.words}")
    opposing = against(pairs)
    if opposing and not overrules:
        raise PermanentError(
            f"The evidence speaks against {opposing[0].challenger}: {opposing[0].verdict}. Nothing was published.",
            remedy="Repeat it with --against-the-evidence if you know better; the deployment keeps the comparison beside your reason.",
        )
    if opposing:
        note("The deployment keeps this comparison beside your reason.")
