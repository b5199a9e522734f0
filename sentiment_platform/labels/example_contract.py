"""The contract of training examples, which are made here of labels that were judged before (`labels/quality.py`)."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from sentiment_platform.contracts import Contract
from sentiment_platform.errors import PermanentError
from sentiment_platform.features.schema import FeatureSchema
from sentiment_platform.labels.splits import PARTS
from sentiment_platform.store.training_sets import StoredExample
from sentiment_platform.text.sentiment import LABELS


def require_sound(examples: Sequence[StoredExample], schema: FeatureSchema) -> None:
    """Hold a whole training set against its contract.

    Raises:
        PermanentError: an example breaks it. It is made of what was judged before: a mistake in the making, and no data to leave out.
    """
    broken = example_contract().broken(_example_frame(examples, schema))
    if broken:
        counts = Counter(rule for rules in broken.values() for rule in rules)
        named = "; ".join(f"{rule}: {count}" for rule, count in sorted(counts.items()))
        first = ", ".join(examples[index].example_id for index in list(broken)[:3])
        raise PermanentError(
            f"{len(broken)} of {len(examples)} training examples break their contract ({named}), {first} among them.",
            remedy="Look at their labels and stored vectors; nothing is trained on the rest, because the set would not be what it says.",
        )


@cache
def example_contract() -> Contract:
    """The contract of training examples."""
    import polars as pl

    holds = {
        "text_is_present": pl.col("text") != "",
        "label_is_known": pl.col("label").is_in(list(LABELS)),
        "part_is_known": pl.col("part").is_in(list(PARTS)),
        "story_is_named": pl.col("story_id") != "",
        "example_is_there_once": pl.col("example_id").is_unique(),
        "features_are_in_range": pl.col("features"),
    }
    columns = {**dict.fromkeys(_TEXTS, pl.String()), "features": pl.Boolean()}
    return Contract("TrainingExamples", columns, holds)


_TEXTS = ("example_id", "text", "label", "part", "story_id")


def _example_frame(examples: Sequence[StoredExample], schema: FeatureSchema) -> Any:
    import polars as pl

    def in_range(values: Sequence[float | None]) -> bool:
        same = len(values) == len(schema.features)
        return same and all(feature.allows(value) for feature, value in zip(schema.features, values, strict=True))

    texts = {name: pl.Series([getattr(one, name) for one in examples], dtype=pl.String()) for name in _TEXTS}
    return pl.DataFrame({**texts, "features": pl.Series([in_range(one.features) for one in examples], dtype=pl.Boolean())})
