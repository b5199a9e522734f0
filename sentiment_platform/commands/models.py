"""`models`: what is published, what runs, promote by hand, roll back."""

import getpass
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click
from rich.table import Table

from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.local.session import session
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.tables import utc_now


@click.group()
def models() -> None:
    """List versions and deployments, verify, promote, roll back."""


@models.command("list")
@shows_errors
def list_models() -> None:
    """Every version with its holdout figures, and every deployment."""
    from sentiment_platform.store.models import all_versions, deployments

    with session() as settings:
        engine = create_platform_engine(settings.require("database_url"))
        with engine.connect() as connection:
            versions, rows = all_versions(connection), deployments(connection)
        engine.dispose()
    running = set(_champions(rows[0]["document"]).values()) if rows else set[str]()
    table = Table("version", "registered", "base", "macro-F1 (95 %)", "runs now", title="Versions")
    for version in versions:
        figure: dict[str, Any] = version.manifest["metrics"].get("macro_f1", {})
        shown = f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f}), n {figure['n']}" if figure else ""
        shown += ", in-sample" if figure.get("in_sample") else ""
        table.add_row(
            version.version,
            f"{version.registered_at:%Y-%m-%d %H:%M}",
            version.manifest["base_model"],
            shown,
            "yes" if version.version in running else "",
        )
    console.print(table)
    table = Table("deployment", "published", "champions", "default", "rule", "by", "reason", title="Deployments")
    for row in rows:
        document = row["document"]
        table.add_row(
            row["tag"],
            f"{row['published_at']:%Y-%m-%d %H:%M}",
            ", ".join(_champions(document).values()),
            document["default_family"],
            row["rule"],
            row["actor"],
            row["reason"],
        )
    console.print(table)


@models.command("at")
@click.argument("time")
@shows_errors
def at(time: str) -> None:
    """What was live at TIME (ISO 8601, UTC where it names no zone)."""
    from sentiment_platform.store.models import deployment_at

    moment = datetime.fromisoformat(time)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    with session() as settings:
        engine = create_platform_engine(settings.require("database_url"))
        with engine.connect() as connection:
            document = deployment_at(connection, moment)
        engine.dispose()
    if document is None:
        console.print(f"Nothing was deployed at {moment:%Y-%m-%d %H:%M} UTC.")
        return
    console.print(
        f"deploy-{document['revision']:06d}: {', '.join(_champions(document).values())}, default {document['default_family']}"
    )


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
    from sentiment_platform.promotion.publishing import intent_of_promotion, publish

    with session() as settings:
        engine = create_platform_engine(settings.require("database_url"))
        intent = partial(intent_of_promotion, version=version, actor=_actor(), reason=reason)
        _published(publish(engine, RegistryAccess(settings), intent, holder=_actor(), now=utc_now))
        engine.dispose()


@models.command()
@click.option("--to", "revision", type=int, help="Revision whose content returns; default: the newest with other content.")
@click.option("--reason", default="rolled back by hand", show_default=True, help="Why; it is recorded.")
@shows_errors
def rollback(revision: int | None, reason: str) -> None:
    """Publish earlier content as the next revision; serving swaps within one poll."""
    from sentiment_platform.promotion.publishing import intent_of_rollback, publish

    with session() as settings:
        engine = create_platform_engine(settings.require("database_url"))
        intent = partial(intent_of_rollback, actor=_actor(), reason=reason, to_revision=revision)
        _published(publish(engine, RegistryAccess(settings), intent, holder=_actor(), now=utc_now))
        engine.dispose()


def _published(promoted: Any) -> None:
    document = promoted.document
    versions = ", ".join(champion.version for champion in document.champions.values())
    console.print(f"[green]{promoted.tag}[/] published: {versions}, default {document.default_family}. {promoted.url}")


def _champions(document: dict[str, Any]) -> dict[str, str]:
    return {family: champion["version"] for family, champion in document["champions"].items()}


def _actor() -> str:
    return getpass.getuser()
