"""`models`: what is published, what runs, promote by hand, roll back; search ahead of training."""

import getpass
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.table import Table

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.commands.progress import TrainingBar
from sentiment_platform.errors import PermanentError
from sentiment_platform.local.session import connected_session, session
from sentiment_platform.models.family import TrainingOptions
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.statistics.estimate import MACRO_F1, with_interval

if TYPE_CHECKING:
    from sentiment_platform.promotion.next_revision import Promoted


@click.group()
def models() -> None:
    """List versions and deployments, verify, promote, roll back, search."""


@models.command("list")
@shows_errors
def list_models() -> None:
    """Every version with its holdout figures, and every deployment."""
    from sentiment_platform.store.deployments import deployments
    from sentiment_platform.store.versions import all_versions

    with connected_session() as (_, engine), engine.connect() as connection:
        versions, mirrored = all_versions(connection), deployments(connection)
    running = set(mirrored[0].document.versions().values()) if mirrored else set[str]()
    table = Table("version", "registered", "base", "macro-F1 (95 %)", "runs now", title="Versions")
    for version in versions:
        figure = version.manifest.metrics.get(MACRO_F1)
        shown = f"{with_interval(figure)}, n {figure.n}" if figure else ""
        shown += ", in-sample" if figure and figure.in_sample else ""
        table.add_row(
            version.version,
            f"{version.registered_at:%Y-%m-%d %H:%M}",
            version.manifest.base_model,
            shown,
            "yes" if version.version in running else "",
        )
    console.print(table)
    table = Table("deployment", "published", "champions", "default", "rule", "by", "reason", title="Deployments")
    for deployment in mirrored:
        document = deployment.document
        table.add_row(
            str(document.tag),
            f"{deployment.published_at:%Y-%m-%d %H:%M}",
            ", ".join(document.versions().values()),
            document.default_family,
            document.rule,
            document.actor,
            document.reason,
        )
    console.print(table)


@models.command("at")
@click.argument("time")
@shows_errors
def at(time: str) -> None:
    """What was live at TIME (ISO 8601, UTC where it names no zone)."""
    from sentiment_platform.store.deployments import deployment_at

    try:
        moment = datetime.fromisoformat(time)
    except ValueError as error:
        raise PermanentError(f"{time} is no time: {error}.", remedy="Write it like 2026-03-01T09:30 or 2026-03-01.") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    with connected_session() as (_, engine), engine.connect() as connection:
        document = deployment_at(connection, moment)
    if document is None:
        console.print(f"Nothing was deployed at {moment:%Y-%m-%d %H:%M} UTC.")
        return
    console.print(f"{document.tag}: {', '.join(document.versions().values())}, default {document.default_family}")


@models.command()
@shows_errors
def verify() -> None:
    """Fetch the latest deployment and prove signature, digests and sizes of everything it names."""
    from sentiment_platform.registry.reader import LatestDeployment

    with session() as settings:
        access = RegistryAccess(settings)
        with closing(access.reader()) as reader:
            latest = reader.poll_latest()
            if not isinstance(latest, LatestDeployment):
                console.print("Nothing has been deployed yet.")
                return
            for version, manifest_digest in latest.document.models().items():
                manifest = reader.fetch_model(version, manifest_digest, access.cache_folder)
                console.print(f"[green]{version}[/]: {len(manifest.files)} files, manifest {manifest_digest[:16]} verified")
        console.print(
            f"[green]{latest.document.tag}[/]: signed by the operator key, follows revision {latest.document.revision - 1}"
        )


@models.command()
@click.argument("version")
@click.option("--reason", required=True, help="Why; it is recorded in the deployment and the audit trail.")
@shows_errors
def promote(version: str, reason: str) -> None:
    """Make VERSION the champion of its family and its family the default, on your word instead of the gate's."""
    from sentiment_platform.promotion.next_revision import intent_of_promotion, publish

    with connected_session() as (settings, engine):
        intent = partial(intent_of_promotion, version=version, actor=_actor(), reason=reason)
        _published(publish(engine, RegistryAccess(settings), intent, holder=_actor(), now=utc_now))


@models.command()
@click.option("--to", "revision", type=int, help="Revision whose content returns; default: the newest with other content.")
@click.option("--reason", default="rolled back by hand", show_default=True, help="Why; it is recorded.")
@shows_errors
def rollback(revision: int | None, reason: str) -> None:
    """Publish earlier content as the next revision; serving swaps within one poll."""
    from sentiment_platform.promotion.next_revision import intent_of_rollback, publish

    with connected_session() as (settings, engine):
        intent = partial(intent_of_rollback, actor=_actor(), reason=reason, to_revision=revision)
        _published(publish(engine, RegistryAccess(settings), intent, holder=_actor(), now=utc_now))


@models.command()
@click.option("--trials", type=click.IntRange(min=1), required=True, help="Trials that the study shall have, whoever makes them.")
@click.option("--worker", type=click.IntRange(min=1), default=1, show_default=True, help="A number of its own for each worker.")
@click.option("--seed", type=int, default=TrainingOptions.seed, show_default=True, help="Seed of the run that will train.")
@click.option("--threads", type=click.IntRange(min=0), default=0, help="CPU threads; default: all. Several workers share them.")
@click.option("--parameters", default="{}", help="Other parameters of the run that will train, as JSON.")
@shows_errors
def search(trials: int, worker: int, seed: int, threads: int, parameters: str) -> None:
    """Search the transformer's recipe ahead of training, in as many processes and on as many machines as you like.

    All of them work on one study in PostgreSQL. It belongs to the newest training set, TRANSFORMER_BASE, the seed and the
    parameters, and each worker ends when it has --trials trials. Nothing is trained or published.

    \b
    sentiment-platform models search --trials 24 --worker 1 --threads 4 &
    sentiment-platform models search --trials 24 --worker 2 --threads 4 &

    A training run finds these trials when it asks for as many, in the launchpad of train_job: the transformer's model asset
    with parameters: {start: champion, n_trials: 24}. What fixes a part of the recipe there, such as {epochs: 3}, belongs into
    --parameters here; start, replay_share and checkpoint_steps do not matter to a search.
    """
    from sentiment_platform.models.training_data import read_training_data
    from sentiment_platform.models.transformer.training.recipe import join_search
    from sentiment_platform.models.versions.training_world import training_world

    try:
        given = msgspec.json.decode(parameters, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise PermanentError(f"--parameters is no JSON object: {error}.", remedy="Write it like '{\"epochs\": 3}'.") from error
    options = TrainingOptions(seed=seed, threads=threads, parameters=given | {"n_trials": trials})
    with connected_session() as (settings, engine), TrainingBar() as bar:
        world = training_world(engine, RegistryAccess(settings))
        report = join_search(world, read_training_data(engine), options, bar, worker=worker)
    best = ", ".join(f"{name} {value:.4g}" for name, value in report.best_parameters.items())
    console.print(f"[green]{report.study}[/]: {len(report.trials)} trials, best macro-F1 {report.best_value:.3f} with {best}")


def _published(promoted: "Promoted") -> None:
    document = promoted.document
    versions = ", ".join(document.versions().values())
    console.print(f"[green]{promoted.tag}[/] published: {versions}, default {document.default_family}. {promoted.url}")


def _actor() -> str:
    return getpass.getuser()
