"""The assets of human labels: what people said, and the training set made of it."""

from typing import Any

import dagster as dg

from sentiment_platform.features.schema import DEFAULT_SCHEMA
from sentiment_platform.labels.importing import import_feedback
from sentiment_platform.labels.training_set import build_and_store
from sentiment_platform.store.labels import label_counts
from sentiment_platform.store.resources import PlatformResource


@dg.asset(
    group_name="labels",
    owners=["team:data-science"],
    kinds={"postgres"},
    tags={"stage": "training"},
    description="Every human label with its set, annotator and licence; labels that came as feedback are taken in here.",
)
def labels(platform: PlatformResource) -> dg.MaterializeResult[Any]:
    new = import_feedback(platform.engine())
    with platform.engine().connect() as connection:
        counts = label_counts(connection)
    table = "\n".join(f"| {name} | {label} | {n} | {licence} |" for name, label, n, licence in counts)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(n for _, _, n, _ in counts),
            "new_from_feedback": new,
            "sets": dg.MetadataValue.md(f"| set | label | rows | licence |\n|---|---|---|---|\n{table}"),
        }
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
            "rule": summary["rule"],
        },
        data_version=dg.DataVersion(snapshot.digest),
    )
