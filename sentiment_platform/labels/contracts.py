"""The contracts of what is made here and trained on or reported: training examples, and outcomes.

Pandera schemas over Polars, validated lazily so that one look names every failure of every row. Pandera and Polars are imported when
rows are judged, never when this file is. What is read from outside is judged where it comes in (`labels.quality`, `market.quality`).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.schema import FeatureSchema
from sentiment_platform.labels.splits import PARTS
from sentiment_platform.store.labels import StoredExample
from sentiment_platform.store.news import QuarantinedItem
from sentiment_platform.store.outcomes import OutcomeRecord
from sentiment_platform.store.payloads import payload_id, storable
from sentiment_platform.text.sentiment import LABELS

OUTCOMES = "outcomes"
"""The boundary under which refused outcomes wait in quarantine."""
EXAMPLE_RULES: Mapping[str, str] = {
    "text_is_present": "there is no text",
    "label_is_known": f"the label is none of {', '.join(LABELS)}",
    "part_is_known": f"the part is none of {', '.join(PARTS)}",
    "story_is_named": "no story is named",
    "example_is_there_once": "another example has the same id",
    "features_are_in_range": "a feature is missing or outside of the range of its schema",
}
OUTCOME_RULES: Mapping[str, str] = {
    "returns_or_a_reason": "there must be either all returns or a reason for none",
    "returns_are_possible": "a return is no finite number above -1",
    "adjusted_is_the_difference": "the adjusted return is not the symbol's less the market's",
    "direction_is_known": f"the direction is none of {', '.join(LABELS)}",
    "horizon_lies_ahead": "the horizon does not end after it began",
}
"""Name of each rule -> what is wrong where it is broken; a row is filed under the first that it breaks."""


def require_sound(examples: Sequence[StoredExample], schema: FeatureSchema) -> None:
    """Hold a whole training set against its contract.

    Raises:
        PermanentError: an example breaks it. It is made of what was judged before: a mistake in the making, and no data to leave out.
    """
    broken = _broken(_example_contract, _example_frame(examples, schema), EXAMPLE_RULES)
    if broken:
        counts = Counter(rule for rules in broken.values() for rule in rules)
        named = "; ".join(f"{rule}: {count}" for rule, count in sorted(counts.items()))
        first = ", ".join(examples[index].example_id for index in list(broken)[:3])
        raise PermanentError(
            f"{len(broken)} of {len(examples)} training examples break their contract ({named}), {first} among them.",
            remedy="Look at their labels and stored vectors; nothing is trained on the rest, because the set would not be what it says.",
        )


def judge_outcomes(records: Sequence[OutcomeRecord]) -> tuple[list[OutcomeRecord], dict[int, list[str]]]:
    """The outcomes that keep their contract in their order, and position -> broken rules of those that do not."""
    broken = _broken(_outcome_contract, _outcome_frame(records), OUTCOME_RULES)
    return [record for index, record in enumerate(records) if index not in broken], broken


def refused_outcome(record: OutcomeRecord, rules: Sequence[str], run_id: str, now: datetime) -> QuarantinedItem:
    """A refused outcome as a row of quarantine; computed and refused again it is the same row."""
    detail = "; ".join(OUTCOME_RULES[rule] for rule in rules)
    return QuarantinedItem(outcome_id(record), OUTCOMES, record.rule, rules[0], detail, storable(asdict(record)), now, run_id)


def outcome_id(record: OutcomeRecord) -> str:
    """Under what name an outcome waits in quarantine, whatever its values."""
    named = {"article": record.article_id, "symbol": record.symbol, "sessions": record.horizon_sessions}
    return payload_id(OUTCOMES, record.rule, named)


def _broken(contract: Any, frame: Any, rules: Mapping[str, str]) -> dict[int, list[str]]:
    """Position -> the rules that its row breaks, in the order of `rules`."""
    from pandera.errors import SchemaErrors

    found: defaultdict[int, set[str]] = defaultdict(set)
    try:
        contract().validate(frame, lazy=True)
    except SchemaErrors as errors:
        for rule, index in errors.failure_cases.select("check", "index").iter_rows():
            found[index].add(rule)
    order = list(rules)
    return {index: sorted(found[index], key=order.index) for index in sorted(found)}


def _contract(name: str, holds: Mapping[str, Any]) -> Any:
    import pandera.polars as pa

    def check(rule: str) -> Any:
        # What a rule says of a missing value is null: that it must be there is a rule of its own.
        expression = holds[rule].fill_null(True).alias(rule)
        return pa.Check(lambda data: data.lazyframe.select(expression), name=rule, ignore_na=False)

    return pa.DataFrameSchema(checks=[check(rule) for rule in holds], name=name)


def _example_contract() -> Any:
    import polars as pl

    holds = {
        "text_is_present": pl.col("text") != "",
        "label_is_known": pl.col("label").is_in(list(LABELS)),
        "part_is_known": pl.col("part").is_in(list(PARTS)),
        "story_is_named": pl.col("story_id") != "",
        "example_is_there_once": pl.col("example_id").is_unique(),
        "features_are_in_range": pl.col("features"),
    }
    return _contract("TrainingExamples", holds)


def _example_frame(examples: Sequence[StoredExample], schema: FeatureSchema) -> Any:
    import polars as pl

    def in_range(values: Sequence[float | None]) -> bool:
        same = len(values) == len(schema.features)
        return same and all(feature.allows(value) for feature, value in zip(schema.features, values, strict=True))

    names = ("example_id", "text", "label", "part", "story_id")
    texts = {name: pl.Series([getattr(one, name) for one in examples], dtype=pl.String()) for name in names}
    return pl.DataFrame({**texts, "features": pl.Series([in_range(one.features) for one in examples], dtype=pl.Boolean())})


def _outcome_contract() -> Any:
    import polars as pl

    returns = [pl.col(name) for name in _RETURNS]
    own, market, adjusted = returns
    nothing = pl.all_horizontal(
        value.is_null() for value in (*returns, pl.col("label"), pl.col("entry_at"), pl.col("available_at"))
    )
    whole = pl.all_horizontal(
        value.is_not_null() for value in (*returns, pl.col("label"), pl.col("entry_at"), pl.col("available_at"))
    )
    reason = pl.col("reason").is_not_null()
    holds = {
        "returns_or_a_reason": (reason & nothing) | (~reason & whole),
        "returns_are_possible": pl.all_horizontal(value.is_finite() for value in returns) & (own > -1) & (market > -1),
        "adjusted_is_the_difference": (adjusted - (own - market)).abs() <= _ROUNDING,
        "direction_is_known": pl.col("label").is_in(list(LABELS)),
        "horizon_lies_ahead": pl.col("available_at") > pl.col("entry_at"),
    }
    return _contract("Outcomes", holds)


_RETURNS = ("symbol_return", "market_return", "adjusted_return")
_ROUNDING = 1e-9


def _outcome_frame(records: Sequence[OutcomeRecord]) -> Any:
    import polars as pl

    instant = pl.Datetime("us", "UTC")
    types = {"reason": pl.String(), "label": pl.String(), "entry_at": instant, "available_at": instant}
    types |= dict.fromkeys(_RETURNS, pl.Float64())
    return pl.DataFrame({name: [getattr(record, name) for record in records] for name in types}, schema=types)
