"""Take imported examples into the `labels` table, linked with the articles that were collected."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Engine

from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.store.labels import articles_by_title, articles_by_url, labelled_feedback, write_labels
from sentiment_platform.text.normalise import text_hash
from sentiment_platform.text.sentiment import Label

FEEDBACK_SET = "feedback"


def import_labels(engine: Engine, examples: Sequence[LabelledExample]) -> int:
    """Store the examples; importing them again changes nothing.

    Examples that give one text of a set different labels by the same annotator contradict each other: none of them is stored.

    Returns:
        How many labels were new or changed.
    """
    examples = _without_contradictions(examples)
    with engine.begin() as connection:
        by_url = articles_by_url(connection, [example.url for example in examples if example.url])
        by_title = articles_by_title(connection, [example.text for example in examples])
        records = [
            {
                "id": text_hash(f"{example.label_set} {example.external_id} {example.annotator}")[:32],
                "label_set": example.label_set,
                "external_id": example.external_id,
                "annotator": example.annotator,
                "text": example.text,
                "text_hash": text_hash(example.text),
                "label": example.label,
                "weight": example.weight,
                "article_id": by_url.get(example.url or "") or by_title.get(example.text),
                "licence": example.licence,
                "published_at": example.published_at,
            }
            for example in examples
        ]
        return write_labels(connection, records)


def _without_contradictions(examples: Sequence[LabelledExample]) -> list[LabelledExample]:
    said: dict[tuple[str, str, str], set[Label]] = defaultdict(set)
    for example in examples:
        said[example.label_set, example.external_id, example.annotator].add(example.label)
    return [e for e in examples if len(said[e.label_set, e.external_id, e.annotator]) == 1]


def import_feedback(engine: Engine) -> int:
    """Feedback that names a label becomes a label of set `feedback`, annotated by a user; returns how many were new."""
    with engine.connect() as connection:
        rows = labelled_feedback(connection)
    examples = [
        LabelledExample(FEEDBACK_SET, feedback_id, text, label, "user", "feedback", published_at=at)  # type: ignore[arg-type]
        for feedback_id, text, label, at, _ in rows
    ]
    return import_labels(engine, examples)
