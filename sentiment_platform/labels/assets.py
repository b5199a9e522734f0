"""The assets of labels: what people said, and the training set made of it."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from sentiment_platform.features.schema import DEFAULT_SCHEMA
from sentiment_platform.labels.agreement import evaluate_agreement
from sentiment_platform.labels.consolidation import hears_anonymous, trainable
from sentiment_platform.labels.examples import TRAINABLE
from sentiment_platform.labels.importing import import_feedback
from sentiment_platform.labels.markdown import conflicts_table, pairs_table, parts_table, sets_table
from sentiment_platform.labels.training_set import NO_LABELS, build_and_store
from sentiment_platform.store.label_sets import label_counts, label_sets
from sentiment_platform.store.labels import all_labels, any_label, labels_digest
from sentiment_platform.store.resources import PlatformResource


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
    anonymous = hears_anonymous(platform.settings())
    feedback = import_feedback(platform.engine(), run_id=context.run.run_id, now=platform.now(), anonymous=anonymous)
    with platform.engine().connect() as connection:
        counts, sets, digest = label_counts(connection), label_sets(connection), labels_digest(connection)
        agreement = evaluate_agreement(trainable(all_labels(connection), anonymous=anonymous))
    total = sum(n for _, _, n in counts)
    return dg.MaterializeResult(
        metadata={
            "summary": f"{total:,} labels; {feedback.changed:,} are new from feedback; annotators differ on {len(agreement.conflicts):,} texts.",
            "dagster/row_count": total,
            "new_from_feedback": feedback.changed,
            "refused_feedback": feedback.refused,
            "krippendorff_alpha": "not defined" if agreement.alpha is None else round(agreement.alpha, 4),
            "texts_with_several_voices": agreement.texts,
            "conflicts": len(agreement.conflicts),
            "sets": dg.MetadataValue.md(sets_table(sets, counts)),
            "agreement": dg.MetadataValue.md(pairs_table(agreement)),
            "disputed": dg.MetadataValue.md(conflicts_table(agreement)),
        },
        data_version=dg.DataVersion(digest),
    )


@dg.asset(
    deps=[labels, "article_features"],
    group_name="labels",
    owners=["team:data-science"],
    kinds={"postgres"},
    tags={"stage": "training"},
    output_required=False,
    description="One label per text with the features known then, whole stories split by time (by hash where undated), named by its content.",
)
def training_set(context: dg.AssetExecutionContext, platform: PlatformResource) -> Iterator[dg.MaterializeResult[Any]]:
    with platform.engine().connect() as connection:
        labelled = any_label(connection, TRAINABLE)
    if not labelled:
        # Nothing is wrong, there is nothing to learn from: what follows is skipped, what is deployed stays.
        context.log.warning(NO_LABELS)
        return
    snapshot, new = build_and_store(
        platform.engine(), DEFAULT_SCHEMA, platform.now, anonymous=hears_anonymous(platform.settings())
    )
    summary = snapshot.summary
    yield dg.MaterializeResult(
        metadata={
            "summary": f"{len(snapshot.examples):,} texts of {summary['stories']:,} stories; {'newly made' if new else 'unchanged'}.",
            "dagster/row_count": len(snapshot.examples),
            "unchanged": not new,
            "stories": summary["stories"],
            "parts": dg.MetadataValue.md(parts_table(summary["parts"])),
            "label_sets": summary["label_sets"],
            "ties_left_out": summary["ties_left_out"],
            "syndicated_copies_left_out": summary["syndicated_copies_left_out"],
            "disputed_texts": summary["disputed_texts"],
            "licences": dg.MetadataValue.md("\n".join(f"- {note}" for note in summary["licence_notes"])),
            "noncommercial_sets": ", ".join(summary["noncommercial_sets"]) or "none",
            "rule": summary["rule"],
            "digest": snapshot.digest,
        },
        data_version=dg.DataVersion(snapshot.digest),
    )
