"""A contract: named rules over the columns of a frame, as a Pandera schema over Polars that is validated lazily.

Here: what a contract is and which rules rows break. Not here: the rules of a subject (`news/quality.py`, `market/quality.py`,
`market/outcome_contract.py`, `features/contract.py`, `labels/quality.py`, `labels/example_contract.py`). Pandera and Polars are
imported when something is judged, never when this file is.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Contract:
    """`columns`: name -> Polars type; `rules`: name -> boolean Polars expression that is true of a good row.

    Of a missing value a rule says null, which counts as kept: that something must be there is a rule of its own.
    """

    name: str
    columns: dict[str, Any]
    rules: dict[str, Any]

    def broken(self, frame: Any) -> dict[int, list[str]]:
        """Row -> the rules that it breaks, in the order of the contract; rows that keep it are absent.

        One look at all rules together comes first: it takes a twentieth of the time of a validation, and most frames are good.
        """
        import polars as pl
        from pandera.errors import SchemaErrors

        kept = pl.all_horizontal(rule.fill_null(True) for rule in self.rules.values())
        if dict(frame.schema) == self.columns and frame.select(kept.all()).item():
            return {}
        broken_rules: dict[int, list[str]] = defaultdict(list)
        try:
            self.schema().validate(frame, lazy=True)
        except SchemaErrors as errors:
            for rule, index in errors.failure_cases.select("check", "index").iter_rows():
                if index is None:  # not a row, but the frame itself has another shape
                    raise
                broken_rules[index].append(rule)
        order = list(self.rules)
        return {index: sorted(set(rules), key=order.index) for index, rules in sorted(broken_rules.items())}

    def schema(self) -> Any:
        """The Pandera schema; each check carries the name of its rule and answers for every row."""
        import pandera.polars as pa

        def check(rule: str) -> Any:
            expression = self.rules[rule].fill_null(True).alias(rule)
            return pa.Check(lambda data: data.lazyframe.select(expression), name=rule, ignore_na=False)

        columns = {name: pa.Column(dtype, nullable=True) for name, dtype in self.columns.items()}
        return pa.DataFrameSchema(columns, checks=[check(rule) for rule in self.rules], strict=True, name=self.name)


def in_words(rules: Sequence[str], meanings: Mapping[str, str]) -> str:
    """What is wrong, for every broken rule; `meanings` says what each rule finds."""
    return "; ".join(meanings[rule] for rule in rules)
