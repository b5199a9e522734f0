"""`models`: what is published, and what runs. `promote` and `rollback` stand in `promotion.py`, `search` in `search.py`, the rest in `registry.py`."""

from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, print_json, say, show_table, styled
from sentiment_platform.commands.parameters import MOMENT, VERSION, json_option
from sentiment_platform.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_platform.registry.deployment import Deployment
    from sentiment_platform.registry.lifecycle import State
    from sentiment_platform.settings import Settings
    from sentiment_platform.store.deployments import MirroredDeployment
    from sentiment_platform.store.versions import RegisteredVersion

NOTHING_DEPLOYED = "Nothing has been deployed yet. Next: sentiment-platform run bootstrap_job, which deploys the versions that the platform ships"


@click.group()
def models() -> None:
    """List versions and deployments, verify, promote, roll back, search.

    \b
    Example:
      sentiment-platform models list
    """


@models.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """Every version with its holdout figures, and every deployment.

    The state of a version follows from deployments, evidence and releases: registered, shadow, challenger, champion, retired, archived (its
    release is gone). As JSON: {"versions": [...], "deployments": [...]}, newest first; a version has its metrics by name, a deployment
    its versions by family.

    \b
    Examples:
      sentiment-platform models list
      sentiment-platform models list | grep deploy-
      sentiment-platform models list --json
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.registry.lifecycle import state_of
    from sentiment_platform.statistics.estimate import MACRO_F1, with_interval
    from sentiment_platform.store.deployments import deployments
    from sentiment_platform.store.lifecycle import read_documents
    from sentiment_platform.store.versions import all_versions

    with connected_session() as (settings, engine), engine.connect() as connection:
        versions, mirrored = all_versions(connection), deployments(connection)
        documents = read_documents(connection, _gone(settings, versions))
    states: dict[str, State] = {version.version: state_of(version.version, documents) for version in versions}
    if as_json:
        described = [_described_version(version, states[version.version]) for version in versions]
        print_json({"versions": described, "deployments": [_described_deployment(one) for one in mirrored]})
        return
    rows: list[tuple[Any, ...]] = []
    for version in versions:
        figure = version.manifest.metrics.get(MACRO_F1)
        shown = f"{with_interval(figure)}, n {figure.n}" if figure else ""
        shown += ", in-sample" if figure and figure.in_sample else ""
        measured_on = figure.dataset if figure else ""
        rows.append(
            (version.version, version.registered_at, version.manifest.base_model, shown, measured_on, states[version.version])
        )
    show_table(
        ["version", "registered", "base", "macro-F1 (95 %)", "measured on", "state"],
        rows,
        title="Versions",
        empty="There is no version yet. Next: sentiment-platform run bootstrap_job, which deploys those that the platform ships; or bring "
        "labels in (sentiment-platform labels import FILE), then: sentiment-platform run train_job",
    )
    if mirrored or versions:
        show_table(
            ["deployment", "published", "champions", "default", "rule", "by", "reason"],
            [_deployment_row(one) for one in mirrored],
            title="Deployments",
            empty="Nothing has been deployed yet. Next: sentiment-platform run deploy_job",
        )


def _gone(settings: "Settings", versions: "Sequence[RegisteredVersion]") -> set[str]:
    """Versions whose release the registry no longer has as it was registered; nobody, where it does not answer."""
    from sentiment_platform.registry.access import RegistryAccess

    if not versions or not settings.registry_repository:
        return set()
    try:
        with closing(RegistryAccess(settings).writer(utc_now)) as registry:
            released = {one.version: one.manifest_digest for one in registry.list_models()}
    except TransientError as error:
        note(f"The registry does not answer, so nobody knows which releases are gone. {error}")
        return set()
    return {one.version for one in versions if released.get(one.version) != one.manifest_digest}


def _described_version(version: "RegisteredVersion", state: "State") -> dict[str, Any]:
    manifest = version.manifest
    return {
        "version": version.version,
        "family": version.family,
        "registered_at": version.registered_at,
        "base_model": manifest.base_model,
        "training_set": version.training_set,
        "manifest_digest": version.manifest_digest,
        "metrics": manifest.metrics,
        "state": state,
        "runs": state == "champion",
    }


def _described_deployment(mirrored: "MirroredDeployment") -> dict[str, Any]:
    document = mirrored.document
    return {
        "deployment": str(document.tag),
        "revision": document.revision,
        "published_at": mirrored.published_at,
        "versions": document.versions(),
        "default_family": document.default_family,
        "rule": document.rule,
        "actor": document.actor,
        "reason": document.reason,
    }


def _deployment_row(mirrored: "MirroredDeployment") -> tuple[Any, ...]:
    document = mirrored.document
    versions = ", ".join(document.versions().values())
    return (
        str(document.tag),
        mirrored.published_at,
        versions,
        document.default_family,
        document.rule,
        document.actor,
        document.reason,
    )


@models.command("at")
@click.argument("time", type=MOMENT)
@json_option
def at(time: datetime, as_json: bool) -> None:
    """What was live at TIME (ISO 8601, UTC where it names no zone).

    As JSON: {"deployment", "versions", "default_family"}, or null.

    \b
    Examples:
      sentiment-platform models at 2026-03-01
      sentiment-platform models at 2026-03-01T09:30+01:00
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.deployments import deployment_at

    with connected_session() as (_, engine), engine.connect() as connection:
        document = deployment_at(connection, time)
    if as_json:
        print_json(_live(document) if document else None)
    elif document is None:
        say(f"Nothing was deployed at {time:%Y-%m-%d %H:%M %Z}. `sentiment-platform models list` shows every deployment.")
    else:
        say(f"{document.tag}: {', '.join(document.versions().values())}, default {document.default_family}")


def _live(document: "Deployment") -> dict[str, Any]:
    return {"deployment": str(document.tag), "versions": document.versions(), "default_family": document.default_family}


@models.command()
@click.argument("version", type=VERSION)
def card(version: str) -> None:
    """Print a version's card: data, figures beside baselines and champion, limits, cost, licences, how to check it. Markdown.

    \b
    Example:
      sentiment-platform models card v1.0.0-vader > card.md
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.models.model_card import model_card
    from sentiment_platform.store.versions import get_version

    with connected_session() as (_, engine), engine.connect() as connection:
        registered = get_version(connection, version)
    if registered is None:
        raise PermanentError(f"{version} is not registered here.", remedy="See `sentiment-platform models list`.")
    say(model_card(registered.manifest))


@models.command()
def verify() -> None:
    """Fetch the latest deployment and prove signature, digests and sizes of everything it names.

    \b
    Example:
      sentiment-platform models verify
    """
    from sentiment_platform.local.session import session
    from sentiment_platform.registry.access import RegistryAccess
    from sentiment_platform.registry.reader import LatestDeployment

    with session() as settings:
        access = RegistryAccess(settings)
        with closing(access.reader()) as reader:
            latest = reader.poll_latest()
            if not isinstance(latest, LatestDeployment):
                note(NOTHING_DEPLOYED)
                return
            for version, manifest_digest in latest.document.named_models().items():
                manifest = reader.fetch_model(version, manifest_digest, access.cache_folder)
                say(styled(version, "green"), f": {len(manifest.files)} files, manifest {manifest_digest[:16]} verified")
        tag = styled(str(latest.document.tag), "green")
        previous = latest.document.previous
        say(tag, f": signed by the operator key, follows revision {previous.revision if previous else 0}")
