"""The contract of outcomes: all returns or a reason for none, and how a refused one waits in quarantine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any

from sentiment_platform.contracts import Contract, in_words
from sentiment_platform.store.outcomes import OutcomeRecord
from sentiment_platform.store.payloads import payload_id
from sentiment_platform.store.quarantine import QuarantinedItem, refused_row
from sentiment_platform.text.sentiment import LABELS

OUTCOME_RULES: Mapping[str, str] = {
    "returns_or_a_reason": "there must be either all returns or a reason for none",
    "returns_are_possible": "a return is no finite number above -1",
    "adjusted_is_the_difference": "the adjusted return is not the symbol's less the market's",
    "direction_is_known": f"the direction is none of {', '.join(LABELS)}",
    "horizon_lies_ahead": "the horizon does not end after it began",
}
"""Name of each rule -> what is wrong where it is broken; a row is filed under the first that it breaks."""


def judge_outcomes(records: Sequence[OutcomeRecord]) -> tuple[list[OutcomeRecord], dict[int, list[str]]]:
    """The outcomes that keep their contract in their order, and position -> broken rules of those that do not."""
    broken = outcome_contract().broken(_outcome_frame(records))
    return [record for index, record in enumerate(records) if index not in broken], broken


def refused_outcome(record: OutcomeRecord, rules: Sequence[str], run_id: str, now: datetime) -> QuarantinedItem:
    """A refused outcome as a row of quarantine; computed and refused again it is the same row."""
    detail = in_words(rules, OUTCOME_RULES)
    return refused_row(
        "outcomes",
        record.rule,
        asdict(record),
        rule=rules[0],
        detail=detail,
        run_id=run_id,
        now=now,
        identity=outcome_id(record),
    )


def outcome_id(record: OutcomeRecord) -> str:
    """Under what name an outcome waits in quarantine, whatever its values."""
    named = {"article": record.article_id, "symbol": record.symbol, "sessions": record.horizon_sessions}
    return payload_id("outcomes", record.rule, named)


@cache
def outcome_contract() -> Contract:
    """The contract of outcomes."""
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
    return Contract("Outcomes", _columns(), holds)


_RETURNS = ("symbol_return", "market_return", "adjusted_return")
_ROUNDING = 1e-9


def _outcome_frame(records: Sequence[OutcomeRecord]) -> Any:
    import polars as pl

    columns = _columns()
    return pl.DataFrame({name: [getattr(record, name) for record in records] for name in columns}, schema=columns)


def _columns() -> dict[str, Any]:
    import polars as pl

    instant = pl.Datetime("us", "UTC")
    texts = {"reason": pl.String(), "label": pl.String(), "entry_at": instant, "available_at": instant}
    return texts | dict.fromkeys(_RETURNS, pl.Float64())
