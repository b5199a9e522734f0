"""Make the training set: one label per text, whole stories, features as they were known, split, and named by its content.

The same labels, features and rule give the same digest on every machine; anything else gives another.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

from sqlalchemy import Engine

from sentiment_platform.clock import Clock, utc_now
from sentiment_platform.entities import article_entity
from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import COMPUTE, NO_CONTEXT
from sentiment_platform.features.schema import FeatureSchema
from sentiment_platform.labels.consolidation import CONSOLIDATION, Consolidated, consolidate, trainable
from sentiment_platform.labels.example_contract import require_sound
from sentiment_platform.labels.examples import FEEDBACK_SET
from sentiment_platform.labels.licences import licence_note
from sentiment_platform.labels.splits import (
    PARTS,
    TEST_SHARE,
    VALIDATION_SHARE,
    StoryText,
    assign_parts,
    feedback_held_out,
    leaks,
)
from sentiment_platform.news.stories.near_duplicates import SIMILARITY, counted_as, story_of
from sentiment_platform.store.label_sets import LabelSet, label_sets
from sentiment_platform.store.labels import StoredLabel, all_labels
from sentiment_platform.store.training_sets import StoredExample, latest_training_set, write_training_set
from sentiment_platform.store.vectors import FeatureRow, features_as_of
from sentiment_platform.text.english import is_english
from sentiment_platform.text.sentiment import LABELS

T = TypeVar("T")

RULE = {
    "version": 6,
    "consolidation": CONSOLIDATION,
    "similarity": SIMILARITY,
    "test_share": TEST_SHARE,
    "validation_share": VALIDATION_SHARE,
}
MINIMUM_PER_LABEL = 10
NO_LABELS = "There is no label to learn from, so nothing is trained. Import some: `sentiment-platform labels import`."
ARTICLE_GROUPS = ("context", "time")
"""Feature groups whose values come from the stored vector of the label's article."""


@dataclass(frozen=True)
class Snapshot:
    """A training set before it is stored; `summary` is what a person wants to know of it."""

    digest: str
    feature_schema: str
    examples: tuple[StoredExample, ...]
    summary: Mapping[str, Any]


def build(
    labels: Sequence[StoredLabel],
    features: Mapping[str, FeatureRow],
    schema: FeatureSchema,
    sets: Mapping[str, LabelSet] | None = None,
) -> Snapshot:
    """Make the snapshot from every label that people gave to English text and the stored vectors of their articles (entity -> row).

    Args:
        sets: name -> set, for the licences in the summary.

    Raises:
        PermanentError: a label has fewer than `MINIMUM_PER_LABEL` texts to train on, one was given by no person, or an example breaks
            its contract.
    """
    consolidated = consolidate([label for label in labels if is_english(label.text)])
    texts = _counted_once(consolidated.kept)
    near = story_of([row.text for row in texts])
    # An article's story, where it has one, brings its near-duplicates along; otherwise the near-duplicate's first text names it.
    names = [row.story_id or f"text:{row.text_hash[:32]}" for row in texts]
    rows = [
        StoryText(row.text, names[first], row.available_at, row.kind == "feedback")
        for row, first in zip(texts, near, strict=True)
    ]
    rows = _join_stories(rows, names)
    parts = assign_parts(rows)
    held_out = feedback_held_out(rows, parts)
    texts, rows, parts = _without(texts, held_out), _without(rows, held_out), _without(parts, held_out)
    compute = COMPUTE[schema.version]
    examples: list[StoredExample] = []
    for row, story, part in zip(texts, rows, parts, strict=True):
        stored = features.get(article_entity(row.article_id)) if row.article_id else None
        values = compute(row.text, NO_CONTEXT)
        if stored:
            # The context is the article's; the words are the label's own, which need not be the article's headline.
            values = tuple(
                kept if feature.group in ARTICLE_GROUPS else own
                for feature, kept, own in zip(schema.features, stored.values, values, strict=True)
            )
        examples.append(
            StoredExample(
                example_id=row.text_hash[:32],
                part=part,
                text=row.text,
                label=row.label,
                label_set=row.label_set,
                story_id=story.story_id,
                available_at=row.available_at,
                features=values,
            )
        )
    examples.sort(key=lambda example: example.example_id)
    counts = Counter(example.label for example in examples if example.part == "train")
    for label in LABELS:
        if counts[label] < MINIMUM_PER_LABEL:
            raise PermanentError(
                f"Only {counts[label]} training texts are {label}; {MINIMUM_PER_LABEL} are needed.",
                remedy="Import more labels: `sentiment-platform labels import`.",
            )
    require_sound(examples, schema)
    summary = _summary(examples, schema, consolidated, rows, parts, features) | _licences(consolidated, sets or {})
    summary["feedback_left_out_of_the_holdout"] = sum(held_out)
    summary["syndicated_copies_left_out"] -= sum(held_out)
    return Snapshot(content_digest(examples, schema), schema.version, tuple(examples), summary)


def build_and_store(
    engine: Engine, schema: FeatureSchema, now: Clock = utc_now, *, anonymous: bool = False
) -> tuple[Snapshot, bool]:
    """Read labels and features, build the snapshot, store it; the flag says whether it is new.

    `anonymous`: feedback without a voice is learnt from too, as one voice.

    Raises:
        PermanentError: as `build`.
    """
    with engine.connect() as connection:
        labels, sets = trainable(all_labels(connection), anonymous=anonymous), label_sets(connection)
        entities = sorted({article_entity(label.article_id) for label in labels if label.article_id})
        features: dict[str, FeatureRow] = {}
        for start in range(0, len(entities), 5000):
            features |= features_as_of(connection, schema.version, entities[start : start + 5000], now())
    snapshot = build(labels, features, schema, sets)
    with engine.begin() as connection:
        new = write_training_set(connection, snapshot.digest, schema.version, snapshot.summary, snapshot.examples)
    return snapshot, new


def licence_notes(engine: Engine, digest: str) -> tuple[str, ...]:
    """A line for each set that was heard, on what its licence allows: for the manifest of a model made of this training set."""
    with engine.connect() as connection:
        snapshot = latest_training_set(connection, digest)
    return tuple(snapshot.summary.get("licence_notes", ())) if snapshot else ()


def leaks_in(examples: Sequence[StoredExample]) -> Mapping[str, int]:
    """Kinds of leak between the parts of a stored training set, with how many of each."""
    rows = [
        StoryText(example.text, example.story_id, example.available_at, example.label_set == FEEDBACK_SET) for example in examples
    ]
    return leaks(rows, [next(part for part in PARTS if part == example.part) for example in examples])


def _counted_once(rows: Sequence[StoredLabel]) -> list[StoredLabel]:
    """`rows` in their order without syndicated copies; of those that annotators labelled, else of all, the first known one stands."""
    first_known = sorted(
        rows, key=lambda row: (row.kind == "feedback", row.available_at or datetime.max.replace(tzinfo=UTC), row.text_hash)
    )
    counted = counted_as([row.text for row in first_known], [row.story_id for row in first_known])
    standing = {row.text_hash for position, row in enumerate(first_known) if counted[position] == position}
    return [row for row in rows if row.text_hash in standing]


def _join_stories(rows: Sequence[StoryText], names: Sequence[str]) -> list[StoryText]:
    """Near-duplicates and collected stories name the same thing twice: follow both until one name is left for each text."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for row, name in zip(rows, names, strict=True):
        first, second = sorted((root(row.story_id), root(name)))
        parent[second] = first
    return [replace(row, story_id=root(row.story_id)) for row in rows]


def _without(rows: Sequence[T], left_out: Sequence[bool]) -> list[T]:
    return [row for row, out in zip(rows, left_out, strict=True) if not out]


def content_digest(examples: Sequence[StoredExample], schema: FeatureSchema, rule: Mapping[str, Any] = RULE) -> str:
    """The name of a training set: SHA-256 of the rule that made it, the feature schema, and every example in its order."""
    digest = sha256(json.dumps({"rule": rule, "schema": schema.hash}, sort_keys=True).encode())
    for e in examples:
        when = e.available_at.astimezone(UTC).isoformat() if e.available_at else None
        digest.update(json.dumps([e.example_id, e.part, e.text, e.label, e.label_set, e.story_id, when, e.features]).encode())
    return digest.hexdigest()


def _summary(
    examples: Sequence[StoredExample],
    schema: FeatureSchema,
    consolidated: Consolidated,
    rows: Sequence[StoryText],
    parts: Sequence[Any],
    features: Mapping[str, FeatureRow],
) -> dict[str, Any]:
    return {
        "rule": RULE,
        "feature_schema": schema.version,
        "examples": len(examples),
        "stories": len({example.story_id for example in examples}),
        "ties_left_out": consolidated.ties,
        "syndicated_copies_left_out": len(consolidated.kept) - len(rows),
        "disputed_texts": consolidated.disputed,
        "annotators_without_voice": consolidated.voiceless,
        "feedback_overruled": consolidated.overruled,
        "feedback_that_trains": sum(row.from_feedback for row in rows),
        "with_stored_features": len(features),
        "parts": {part: dict(sorted(Counter(e.label for e in examples if e.part == part).items())) for part in PARTS},
        "label_sets": dict(sorted(Counter(example.label_set for example in examples).items())),
        "leaks": dict(leaks(rows, parts)),
    }


def _licences(consolidated: Consolidated, sets: Mapping[str, LabelSet]) -> dict[str, Any]:
    """What the licences of all sets that were heard say; a set counts wherever its word was counted."""
    known = [sets[name] for name in consolidated.heard_sets if name in sets]
    return {
        "licences": {one.name: one.licence for one in known},
        "noncommercial_sets": [one.name for one in known if one.commercial_use is False],
        "licence_notes": [licence_note(one.name, one.licence, one.commercial_use) for one in known],
    }
