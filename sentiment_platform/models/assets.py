"""Two assets for every family in the table: a published version, and how it measures on the holdout."""

import math
from typing import Any

import dagster as dg

from sentiment_platform.models.evaluation.holdout import evaluate_family, holdout_window
from sentiment_platform.models.evaluation.replay import replay_version, store_replay
from sentiment_platform.models.families import FAMILIES, evaluation_asset_name, model_asset_name
from sentiment_platform.models.family import Progress, ProgressSink, TrainingOptions
from sentiment_platform.models.model_card import contrast_table, measured_table, model_card
from sentiment_platform.models.pages.drawing import as_markdown
from sentiment_platform.models.pages.model_pictures import answers_picture, model_picture
from sentiment_platform.models.pages.reporting import (
    doubted_table,
    log_progress,
    manifest_sentence,
    terms_table,
)
from sentiment_platform.models.progress import throttled
from sentiment_platform.models.version_figures import shown_figures
from sentiment_platform.models.versions.publishing import train_and_publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.lifecycle import state_of
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.run_tags import TRAINS
from sentiment_platform.statistics.estimate import ACCURACY, ECE, MACRO_F1, with_interval
from sentiment_platform.store.lifecycle import read_documents
from sentiment_platform.store.resources import PlatformResource

OBSERVED_EVERY_S = 30.0


class TrainingConfig(dg.Config):
    """What a run may change about training; the defaults are the production recipe."""

    seed: int = 20260101
    threads: int = 0
    parameters: dict[str, Any] = {}  # noqa: RUF012  a pydantic field, copied for each instance


def model_asset(family: str) -> dg.AssetsDefinition:
    """The asset `<family>_model`: trains on the newest training set and publishes a signed model release."""

    @dg.asset(
        name=model_asset_name(family),
        deps=["training_set"],
        group_name="models",
        owners=["team:ml-engineering"],
        kinds={"python", "github"},
        tags={"stage": "training"},
        pool="training",
        description=FAMILIES[family].description,
    )
    def model(context: dg.AssetExecutionContext, config: TrainingConfig, platform: PlatformResource) -> dg.MaterializeResult[Any]:
        access = RegistryAccess(platform.settings())
        # What goes on to a deployment signs that too.
        access.require_publishing(*(("model", "operator") if TRAINS in context.run.tags else ("model",)))
        trained = train_and_publish(
            platform.engine(),
            access,
            family,
            TrainingOptions(seed=config.seed, threads=config.threads, parameters=config.parameters),
            run_id=context.run.run_id,
            now=platform.now,
            progress=live_progress(context),
        )
        return dg.MaterializeResult(
            metadata={
                "summary": manifest_sentence(trained.manifest, new=trained.new),
                "version": trained.version,
                "state": _state(platform, trained.version),
                **{name: metric.value for name, metric in trained.manifest.metrics.items()},
                "base_model": trained.manifest.base_model,
                "unchanged": not trained.new,
                **_folds(trained.manifest),
                **_shown(trained.manifest),
                "measured": dg.MetadataValue.md(measured_table(trained.manifest)),
                "card": dg.MetadataValue.md(model_card(trained.manifest)),
                "figures": dg.MetadataValue.json(trained.manifest.figures),
                "manifest_digest": trained.manifest_digest,
            },
            data_version=dg.DataVersion(trained.manifest_digest),
        )

    return model


def live_progress(context: dg.AssetExecutionContext) -> ProgressSink:
    """Progress as log lines, and more rarely as observations of the asset, whose metadata show how far it is while it runs."""

    def observe(progress: Progress) -> None:
        values = {"stage": progress.stage, "done": progress.done, "total": progress.total, "note": progress.note}
        rate = {"rate_per_s": round(progress.rate, 1)}
        if math.isfinite(progress.remaining_s):
            rate["remaining_s"] = round(progress.remaining_s)
        context.log_event(dg.AssetObservation(context.asset_key, metadata={**values, **rate}))

    lines, observations = log_progress(context.log.info), throttled(observe, OBSERVED_EVERY_S)

    def sink(progress: Progress) -> None:
        lines(progress)
        observations(progress)

    return sink


def _folds(manifest: Manifest) -> dict[str, float]:
    """The k-fold beside the holdout, as numbers whose course can be drawn."""
    folds = shown_figures(manifest).folds
    return {"folds_macro_f1": folds.macro_f1.value, "folds_accuracy": folds.accuracy.value} if folds else {}


def _shown(manifest: Manifest) -> dict[str, dg.MarkdownMetadataValue]:
    """The picture and the tables that the figures of this version hold."""
    figures = shown_figures(manifest)
    shown = _picture(manifest.version, picture) if (picture := model_picture(figures)) else {}
    if figures.terms_moved:
        shown["terms_moved"] = dg.MetadataValue.md(terms_table(figures.terms_moved))
    if figures.distillation:
        shown["doubted_labels"] = dg.MetadataValue.md(doubted_table(figures.distillation))
    return shown


def _picture(version: str, png: bytes) -> dict[str, dg.MarkdownMetadataValue]:
    return {"picture": dg.MetadataValue.md(as_markdown(png, f"Picture of {version}"))}


def _state(platform: PlatformResource, version: str) -> str:
    with platform.engine().connect() as connection:
        return state_of(version, read_documents(connection))


def evaluation_asset(family: str) -> dg.AssetsDefinition:
    """The asset `<family>_evaluation`: the published versions, fetched and verified, on the test part of the newest training set."""

    @dg.asset(
        name=evaluation_asset_name(family),
        # The holdout is a part of the training set: a new one is answered also where no model of the family was trained.
        deps=["training_set", model_asset_name(family)],
        group_name="models",
        owners=["team:data-science"],
        kinds={"postgres"},
        tags={"stage": "training"},
        description="Metrics with intervals, confusion matrix and reliability of the newest version on the holdout; the champion answers it too.",
    )
    def evaluation(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
        access = RegistryAccess(platform.settings())
        evaluated = evaluate_family(platform.engine(), access, family, platform.now())
        if evaluated is None:
            return dg.MaterializeResult(
                metadata={"summary": "There is no version yet that could answer.", "version": "none yet"},
                data_version=dg.DataVersion("no version"),
            )
        newest, champion = evaluated.newest, evaluated.champion
        report, calibration = newest.evaluation.report, newest.evaluation.calibration
        return dg.MaterializeResult(
            metadata={
                "summary": f"{newest.version} answers {report.n:,} holdout texts: macro-F1 {with_interval(report.macro_f1)}.",
                "version": newest.version,
                "state": _state(platform, newest.version),
                "window": holdout_window(newest.training_set),
                "n": report.n,
                ACCURACY: report.accuracy.value,
                MACRO_F1: report.macro_f1.value,
                "macro_f1_low": report.macro_f1.low,
                "macro_f1_high": report.macro_f1.high,
                ECE: calibration.ece,
                "in_sample": newest.in_sample,
                "contrast_pairs": dg.MetadataValue.md(contrast_table(newest.contrast)),
                **_replayed(platform, access, newest.version, context.run.run_id),
                "figures_added": evaluated.figures_added,
                "champion_evaluated": champion.version if champion else "none: it has answered this holdout",
                **_picture(newest.version, answers_picture(report, calibration)),
            },
            data_version=dg.DataVersion(newest.digest()),
        )

    return evaluation


def _replayed(platform: PlatformResource, access: RegistryAccess, version: str, run_id: str) -> dict[str, Any]:
    """What would have changed for users, stored; or why there is nothing to replay."""
    changes = replay_version(platform.engine(), access, version)
    if isinstance(changes, str):
        return {"replay": dg.MetadataValue.md(changes)}
    with platform.engine().begin() as connection:
        store_replay(connection, changes, run_id=run_id)
    return {"replay": dg.MetadataValue.md(changes.report()), "replay_changed_share": changes.changed.value}


# Lists: what Dagster collects from a module are its attributes and the members of its lists.
MODELS = [model_asset(family) for family in FAMILIES]
EVALUATIONS = [evaluation_asset(family) for family in FAMILIES]
