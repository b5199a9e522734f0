"""The contract of labels as they came: the rules, and which of them a row breaks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sentiment_platform.contracts import Contract
from sentiment_platform.labels.examples import RawLabel
from sentiment_platform.text.sentiment import LABELS

RULES: Mapping[str, str] = {
    "row_is_readable": "the row cannot be read",
    "text_is_present": "there is no text",
    "text_has_letters": "the text has no letter",
    "text_is_at_most_5000_characters": "the text is longer than 5,000 characters",
    "text_is_decoded": "the text contains U+FFFD: it was decoded with the wrong charset",
    "label_is_known": f"the label is none of {', '.join(LABELS)} in any known spelling",
    "score_is_from_minus_1_to_1": "the score is outside of -1 to 1",
    "agreement_is_a_share": "the agreement is no share between 0 and 1",
    "weight_is_above_0": "the weight is not above 0",
    "annotator_is_named": "nobody is named as the annotator",
    "annotator_says_one_thing": "the same annotator gives the same item two labels",
}
"""Name of each rule -> what is wrong where it is broken; a row is filed under the first that it breaks."""


@dataclass(frozen=True, slots=True)
class RefusedLabel:
    """A row that broke the contract: the first rule in the order of RULES, and all of them in words."""

    row: RawLabel
    rule: str
    detail: str

    @property
    def value(self) -> str | None:
        """The text that the rule is about; None where it is missing or the row cannot be read."""
        return self.row.label if self.rule.startswith("label") else self.row.text


def judge_labels(rows: Sequence[RawLabel]) -> tuple[list[RawLabel], list[RefusedLabel]]:
    """Hold rows against the contract: those that keep it, and those that do not, each in its order.

    Texts are expected to be normalised and external ids to be given.
    """
    if not rows:
        return [], []
    broken = label_contract().broken(_frame(rows))
    refused: list[RefusedLabel] = []
    for index, rules in broken.items():
        words = [RULES[rule] for rule in rules if rule != "row_is_readable"]
        refused.append(RefusedLabel(rows[index], rules[0], "; ".join(filter(None, [rows[index].problem, *words]))))
    return [row for index, row in enumerate(rows) if index not in broken], refused


def _frame(rows: Sequence[RawLabel]) -> Any:
    import polars as pl

    said: dict[tuple[str | None, str | None], set[str | None]] = defaultdict(set)
    for row in rows:
        if row.label in LABELS:
            said[row.external_id, row.annotator].add(row.label)
    names = ("problem", "text", "label", "annotator", "weight", "score", "agreement")
    values: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in names}
    values["words"] = [len(said[row.external_id, row.annotator]) for row in rows]
    return pl.DataFrame(values, schema=_columns())


def _columns() -> dict[str, Any]:
    import polars as pl

    texts = dict.fromkeys(("problem", "text", "label", "annotator"), pl.String())
    numbers = dict.fromkeys(("weight", "score", "agreement"), pl.Float64())
    return {**texts, **numbers, "words": pl.Int64()}


@cache
def label_contract() -> Contract:
    """The contract of labels as they came."""
    import polars as pl

    text, readable = pl.col("text"), pl.col("problem").is_null()
    score, share = pl.col("score"), pl.col("agreement")
    # Of a row that cannot be read there is nothing more to say.
    holds: dict[str, pl.Expr] = {
        "row_is_readable": readable,
        "text_is_present": ~readable | (text.is_not_null() & (text != "")),
        "text_has_letters": (text == "") | text.str.contains(r"\p{L}"),
        "text_is_at_most_5000_characters": text.str.len_chars() <= 5_000,
        "text_is_decoded": ~text.str.contains("\ufffd", literal=True),
        "label_is_known": ~readable | pl.col("label").is_in(list(LABELS)).fill_null(False),
        "score_is_from_minus_1_to_1": score.is_between(-1.0, 1.0),
        "agreement_is_a_share": share.is_between(0.0, 1.0),
        "weight_is_above_0": pl.col("weight").is_finite() & (pl.col("weight") > 0),
        "annotator_is_named": ~readable | (pl.col("annotator").is_not_null() & (pl.col("annotator") != "")),
        "annotator_says_one_thing": ~readable | (pl.col("words") <= 1),
    }
    return Contract("LabelContract", _columns(), holds)
