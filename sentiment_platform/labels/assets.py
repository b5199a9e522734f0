"""The assets of labels: what people said, the training set made of it, and, apart from both, what the market did after articles."""

from typing import Any

import dagster as dg

from sentiment_platform.features.schema import DEFAULT_SCHEMA
from sentiment_platform.labels.agreement import evaluate_agreement
from sentiment_platform.labels.consolidation import trainable
from sentiment_platform.labels.importing import import_feedback
from sentiment_platform.labels.markdown import conflicts_table, pairs_table, sets_table
from sentiment_platform.labels.outcomes import HORIZONS, OUTCOME_RULE, REASONS, update_outcomes
from sentiment_platform.labels.training_set import build_and_store
from sentiment_platform.market.partitions import daily
from sentiment_platform.store.label_sets import label_counts, label_sets
from sentiment_platform.store.labels import all_labels, labels_digest
from sentiment_platform.store.outcomes import outcome_counts
from sentiment_platform.store.resources import PlatformResource

LONGEST_DAYS = 14


@dg.asset(
    group_name="labels",
    owners=["team:data-science"],
    kinds={"postgres"},
    tags={"stage": "training"},
    description=(
        "Every label with its set, annotator, kind and licence; labels that came as feedback are taken in here. All words are kept: "
        "where annotators disagree is shown, and what becomes of it is the training set's rule."
    ),
)
def labels(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    feedback = import_feedback(platform.engine(), run_id=context.run.run_id, now=platform.now())
    with platform.engine().connect() as connection:
        counts, sets, digest = label_counts(connection), label_sets(connection), labels_digest(connection)
        found = evaluate_agreement(trainable(all_labels(connection)))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(n for _, _, n in counts),
            "new_from_feedback": feedback.changed,
            "refused_feedback": feedback.refused,
            "krippendorff_alpha": "not defined" if found.alpha is None else round(found.alpha, 4),
            "texts_with_several_voices": found.texts,
            "conflicts": len(found.conflicts),
            "sets": dg.MetadataValue.md(sets_table(sets, counts)),
            "agreement": dg.MetadataValue.md(pairs_table(found)),
            "disputed": dg.MetadataValue.md(conflicts_table(found)),
        },
        data_version=dg.DataVersion(digest),
    )


@dg.asset(
    deps=[labels, "article_features"],
    group_name="labels",
    owners=["team:data-science"],
    kinds={"postgres"},
    tags={"stage": "training"},
    description="One label per text with the features known then, whole stories split by time (by hash where undated), named by its content.",
)
def training_set(platform: PlatformResource) -> dg.MaterializeResult[Any]:
    snapshot, new = build_and_store(platform.engine(), DEFAULT_SCHEMA, platform.now)
    summary = snapshot.summary
    parts = "\n".join(
        f"| {part} | {counts.get('negative', 0)} | {counts.get('neutral', 0)} | {counts.get('positive', 0)} |"
        for part, counts in summary["parts"].items()
    )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(snapshot.examples),
            "digest": snapshot.digest,
            "unchanged": not new,
            "stories": summary["stories"],
            "parts": dg.MetadataValue.md(f"| part | negative | neutral | positive |\n|---|---|---|---|\n{parts}"),
            "label_sets": summary["label_sets"],
            "ties_left_out": summary["ties_left_out"],
            "syndicated_copies_left_out": summary["syndicated_copies_left_out"],
            "disputed_texts": summary["disputed_texts"],
            "licences": dg.MetadataValue.md("\n".join(f"- {note}" for note in summary["licence_notes"])),
            "noncommercial_sets": ", ".join(summary["noncommercial_sets"]) or "none",
            "rule": summary["rule"],
        },
        data_version=dg.DataVersion(snapshot.digest),
    )


@dg.asset(
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[
        "articles",
        dg.AssetDep(
            "market_prices",
            # The bars from the article's day to the end of the longest horizon, weekends and holidays between them.
            partition_mapping=dg.TimeWindowPartitionMapping(
                start_offset=0, end_offset=LONGEST_DAYS, allow_nonexistent_upstream_partitions=True
            ),
        ),
    ],
    group_name="labels",
    owners=["team:data-science"],
    kinds={"postgres"},
    tags={"stage": "collection", "label_kind": "outcome"},
    description=(
        "What symbols did after the articles of the day, less the market: returns over 1 and 5 sessions from the first opening after "
        "the article was available. A delayed, noisy kind of label (kind `outcome`); no model is trained on it."
    ),
)
def outcomes(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    span = context.partition_time_window
    settings, run_id = platform.settings(), context.run.run_id
    found = update_outcomes(platform.engine(), span.start, span.end, platform.now(), settings.market_symbol, run_id=run_id)
    with platform.engine().connect() as connection:
        counts = outcome_counts(connection)
    rows = "\n".join(f"| {horizon} | {fate} | {n} |" for horizon, fate, n in counts)
    reasons = "\n".join(f"- `{reason}`: {meaning}" for reason, meaning in REASONS.items())
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": len(found.records),
            "changed": found.changed,
            "quarantined": found.refused,
            "without_outcome": sum(record.reason is not None for record in found.records),
            "rule": f"{OUTCOME_RULE}; neutral within {', '.join(f'{band:.1%} over {n}' for n, band in HORIZONS.items())} sessions",
            "market": settings.market_symbol or "mean of all other symbols",
            "all_outcomes": dg.MetadataValue.md(f"| sessions | label or reason | rows |\n|---|---|---|\n{rows}"),
            "reasons": dg.MetadataValue.md(reasons),
        },
        data_version=dg.DataVersion(found.digest),
    )
