"""Labels as the store gives them, and training sets made of them: enough of each class to train on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sentiment_platform.features.schema import V1
from sentiment_platform.labels.training_set import Snapshot, build
from sentiment_platform.store.labels import StoredLabel
from sentiment_platform.text.normalise import text_hash

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)
PLACES = ["Oslo", "Turin", "Lyon", "Graz", "Cork", "Bonn", "Gent", "Kiel", "Bari", "Faro", "Pisa", "Riga", "Nice", "York"]
THINGS = ["mill", "port", "bank", "mine", "farm", "shop", "yard", "dock", "firm"]
VERBS = {"negative": "shuts down", "neutral": "holds its meeting", "positive": "doubles profit"}


def label(content: str, said: str, name: str = "", **changes: object) -> StoredLabel:
    plain = StoredLabel(
        id=name or content,
        label_set="made",
        text=content,
        text_hash=text_hash(content),
        label=said,
        weight=1.0,
        article_id=None,
        story_id=None,
        available_at=None,
        annotator=name or content,
        kind="human",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def many() -> list[StoredLabel]:
    """378 labels, a third of them dated."""
    rows = [label(f"{place} {thing} {verb}", said) for said, verb in VERBS.items() for place in PLACES for thing in THINGS]
    return [replace(row, available_at=NOON + timedelta(hours=n)) if n % 3 == 0 else row for n, row in enumerate(rows)]


def made(labels: Sequence[StoredLabel]) -> Snapshot:
    return build(labels, {}, V1)
