"""The contract of raw news: the rules, and which of them an item breaks.

The rules are a Pandera model over Polars, validated lazily so that one look names every failure of every row. Pandera and Polars are
imported when items are judged, never when this file is.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sentiment_platform.news.canonical_url import canonical_url
from sentiment_platform.news.items import RawItem

MAX_FUTURE = timedelta(days=1)

RULES: dict[str, str] = {
    "title_is_present": "there is no title",
    "title_has_letters": "the title has no letter",
    "title_is_at_most_500_characters": "the title is longer than 500 characters",
    "title_is_decoded": "the title contains U+FFFD: it was decoded with the wrong charset",
    "text_has_no_binary": "title or summary contain control characters",
    "summary_is_at_most_20000_characters": "the summary is longer than 20,000 characters",
    "published_at_is_present": "there is no publication time",
    "published_at_is_readable": "the publication time cannot be read",
    "published_at_is_not_in_the_future": "the publication time is more than a day ahead",
    "published_at_is_after_1990": "the publication time is before 1990",
    "url_is_http": "the address is no http or https address",
    "url_is_at_most_2000_characters": "the address is longer than 2,000 characters",
    "tickers_are_symbols": "a ticker is no exchange symbol",
    "outlet_is_at_most_200_characters": "the outlet's name is longer than 200 characters",
    "language_is_a_code": "the language is no BCP 47 code",
}
"""Name of each rule -> what is wrong where it is broken; an item is filed under the first that it breaks."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that broke the contract: the first rule in the order of RULES, and all of them in words."""

    item: RawItem
    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Every item is in exactly one of the two, in its original order."""

    accepted: tuple[RawItem, ...]
    refused: tuple[Refusal, ...]


def judge(items: Sequence[RawItem], now: datetime) -> Judgement:
    """Hold `items` against the contract; `now` (aware UTC) is what the future is measured from."""
    from pandera.errors import SchemaErrors

    if not items:
        return Judgement((), ())
    broken: dict[int, list[str]] = defaultdict(list)
    try:
        raw_news_contract().validate(_frame(items, now), lazy=True)
    except SchemaErrors as errors:
        for rule, index in errors.failure_cases.select("check", "index").iter_rows():
            broken[index].append(rule)
    order = list(RULES)
    refused: list[Refusal] = []
    for index in sorted(broken):
        rules = sorted(set(broken[index]), key=order.index)
        refused.append(Refusal(items[index], rules[0], "; ".join(RULES[rule] for rule in rules)))
    return Judgement(tuple(item for index, item in enumerate(items) if index not in broken), tuple(refused))


def _columns() -> dict[str, Any]:
    import polars as pl

    instant = pl.Datetime("us", "UTC")
    texts = dict.fromkeys(("title", "summary", "url", "outlet", "language", "published_text"), pl.String())
    return {**texts, "url_is_http": pl.Boolean(), "tickers": pl.List(pl.String()), "published_at": instant, "now": instant}


def _frame(items: Sequence[RawItem], now: datetime) -> Any:
    import polars as pl

    names = ("title", "summary", "url", "outlet", "language", "published_text", "published_at")
    values: dict[str, list[Any]] = {name: [getattr(item, name) for item in items] for name in names}
    values["url_is_http"] = [item.url is None or canonical_url(item.url) is not None for item in items]
    values["tickers"] = [list(item.tickers) for item in items]
    values["now"] = [now] * len(items)
    return pl.DataFrame(values, schema=_columns()).select(list(_columns()))


@cache
def raw_news_contract() -> Any:
    """The Pandera schema `RawNewsContract`; each check carries the name of its rule and answers for every row."""
    import pandera.polars as pa
    import polars as pl

    title, summary, published = pl.col("title"), pl.col("summary"), pl.col("published_at")
    binary = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
    symbol = r"^[A-Z0-9^][A-Z0-9.^=-]{0,11}$"
    holds: dict[str, pl.Expr] = {
        "title_is_present": title.is_not_null(),
        "title_has_letters": title.str.contains(r"\p{L}"),
        "title_is_at_most_500_characters": title.str.len_chars() <= 500,
        "title_is_decoded": ~title.str.contains("\ufffd", literal=True),
        "text_has_no_binary": ~pl.concat_str(title, summary, separator=" ", ignore_nulls=True).str.contains(binary),
        "summary_is_at_most_20000_characters": summary.str.len_chars() <= 20_000,
        "published_at_is_present": published.is_not_null() | pl.col("published_text").is_not_null(),
        "published_at_is_readable": published.is_not_null() | pl.col("published_text").is_null(),
        "published_at_is_not_in_the_future": published <= pl.col("now") + MAX_FUTURE,
        "published_at_is_after_1990": published >= datetime(1990, 1, 1, tzinfo=UTC),
        "url_is_http": pl.col("url_is_http"),
        "url_is_at_most_2000_characters": pl.col("url").str.len_chars() <= 2_000,
        "tickers_are_symbols": pl.col("tickers").list.eval(pl.element().str.contains(symbol)).list.all(),
        "outlet_is_at_most_200_characters": pl.col("outlet").str.len_chars() <= 200,
        "language_is_a_code": pl.col("language").str.contains(r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*$"),
    }

    def check(rule: str) -> Any:
        # Of a missing value a rule says null; that something must be there is a rule of its own.
        expression = holds[rule].fill_null(True).alias(rule)
        return pa.Check(lambda data: data.lazyframe.select(expression), name=rule, ignore_na=False)

    columns = {name: pa.Column(dtype, nullable=True) for name, dtype in _columns().items()}
    return pa.DataFrameSchema(columns, checks=[check(rule) for rule in RULES], strict=True, name="RawNewsContract")
