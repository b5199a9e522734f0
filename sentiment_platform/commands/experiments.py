"""`experiments`: try a version on traffic before it is promoted: in shadow, then on a share of the requests."""

import getpass
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import print_json, say
from sentiment_platform.commands.parameters import VERSION, Number, json_option
from sentiment_platform.commands.published import tell_published

if TYPE_CHECKING:
    from sentiment_platform.promotion.next_revision import Intent

NOTHING_RUNS = 'No experiment runs. Start one: sentiment-platform experiments start VERSION --reason "..."'
SHARE = click.FloatRange(0, 1, min_open=True)


@click.group()
def experiments() -> None:
    """Try a version on traffic: in shadow first, then on a share of the requests.

    In shadow a version answers requests beside the champion and nobody is served its answers. Both answers to a text that people label
    are compared. `experiments status` says at any time which one is better, or how many more labels that needs.

    \b
    Example:
      sentiment-platform experiments start v1.2.0-vader --reason "equal on the holdout"
    """


@experiments.command()
@click.argument("version", type=VERSION)
@click.option("--reason", required=True, help="Why; it is recorded in the deployment and the audit trail.")
@click.option("--share", type=SHARE, default=0.1, help="In shadow: this share of the champion's requests.")
@click.option("--daily-cap", type=Number(1, 1_000_000), default=1000, help="In shadow: so many requests a UTC day at most.")
@click.option(
    "--split", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="No shadow: serve it to this share of the units."
)
@click.option("--beside", type=VERSION, help="The champion to compare with; default: that of its family.")
@click.option("--name", help="Of the experiment; default: VERSION. A phase under the same name keeps the arm of each unit.")
@click.option(
    "--against-the-evidence", "overrules", is_flag=True, help="Although a verdict speaks against it; the deployment records that."
)
@click.option("--dry-run", is_flag=True, help="Say what would be published, and publish nothing.")
def start(version: str, reason: str, dry_run: bool, beside: str | None, name: str | None, **options: Any) -> None:
    """Start a phase with VERSION: in shadow, or with --split among the users. It is published as the next deployment.

    A version that the gate calls worse than the champion on the holdout, or that a guardrail blocks, is refused. A pair that the gate does
    not read, such as one of two families, is not: its shadow judges. A split needs the verdict `better` of its shadow.

    \b
    Examples:
      sentiment-platform experiments start v1.2.0-vader --reason "equal on the holdout"
      sentiment-platform experiments start v1.2.0-vader --share 0.5 --daily-cap 5000 --reason "more texts" --dry-run
      sentiment-platform experiments start v1.2.0-vader --split 0.1 --reason "better in shadow"
    """
    from sentiment_platform.promotion.experiment_steps import Start, intent_of_start

    given = click.get_current_context().get_parameter_source
    if options["split"] is not None and {given("share"), given("daily_cap")} != {ParameterSource.DEFAULT}:
        raise click.UsageError("--share and --daily-cap are of a shadow; --split starts none.")
    wanted = Start(version=version, actor=getpass.getuser(), reason=reason, name=name or "", beside=beside or "", **options)
    _take(partial(intent_of_start, start=wanted), dry_run)


@experiments.command()
@click.option("--reason", required=True, help="Why; it is recorded in the deployment and the audit trail.")
@click.option("--dry-run", is_flag=True, help="Say what would be published, and publish nothing.")
def stop(reason: str, dry_run: bool) -> None:
    """End the experiment that runs; champions stay as they are. What was measured stays stored.

    \b
    Example:
      sentiment-platform experiments stop --reason "it is worse"
    """
    from sentiment_platform.promotion.experiment_steps import intent_of_stop

    _take(partial(intent_of_stop, actor=getpass.getuser(), reason=reason), dry_run)


@experiments.command()
@json_option
def status(as_json: bool) -> None:
    """What runs, how it stood at its last evaluation, and what may be done now. `run monitor_job` evaluates it anew.

    As JSON: {"experiment", "phase", "mode", "evaluation", "verdict", "words", "next_step", "result"}, or null.

    \b
    Examples:
      sentiment-platform experiments status
      sentiment-platform experiments status --json
    """
    from sentiment_platform.experiments.standing import standing
    from sentiment_platform.local.session import connected_session

    with connected_session() as (_, engine):
        stands = standing(engine)
    if as_json:
        print_json(stands)
    elif stands is None:
        say(NOTHING_RUNS)
    else:
        say(stands.words)
        say(f"Next: {stands.next_step}")


def _take(intent: "partial[Intent]", dry_run: bool) -> None:
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.promotion.deciding import running
    from sentiment_platform.promotion.next_revision import publish
    from sentiment_platform.registry.access import RegistryAccess
    from sentiment_platform.registry.notes import experiment_words

    with connected_session() as (settings, engine):
        before = running(engine)
        ran = (before.shadow or before.experiment) if before else None
        name = f"The experiment {ran.name}" if ran else "The experiment"
        if dry_run:
            online = intent(engine).online
            starts = online and (online.shadow or online.experiment)
            would = (
                f"It would be: {experiment_words(online.shadow, online.experiment)}"
                if online and starts
                else f"{name} would end."
            )
            say(f"Nothing was published. {would}")
            return
        promoted = publish(engine, RegistryAccess(settings), intent, holder=getpass.getuser(), now=utc_now)
        document = promoted.document
        runs = document.shadow or document.experiment
        say(experiment_words(document.shadow or None, document.experiment) if runs else f"{name} has ended.")
        tell_published(promoted, settings)
