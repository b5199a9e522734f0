"""The contracts of this subject: what a raw item must be to become an article, and what an article must be to go downstream.

Rules have names; what breaks one is filed under it (`news.quarantine`). Polars is imported when items are judged, never when this
file is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sentiment_platform.contracts import Contract, in_words
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.optional_fields import BINARY, with_usable_fields
from sentiment_platform.store.stories import StoryCandidate
from sentiment_platform.symbols import SPELLING
from sentiment_platform.text.misread import MISREAD

MAX_FUTURE = timedelta(days=1)

RULES: dict[str, str] = {
    "row_fits_its_header": "the row has more cells than the header: a delimiter stands in one of them",
    "title_is_present": "there is no title",
    "title_has_letters": "the title has no letter",
    "title_is_no_placeholder": "the title stands for a missing or withdrawn one",
    "title_is_at_most_500_characters": "the title is longer than 500 characters",
    "title_is_decoded": "the title was decoded with the wrong charset",
    "title_has_no_markup": "the title contains HTML",
    "text_has_no_binary": "a text contains control characters, which a database may not even hold",
    "published_at_is_present": "there is no publication time",
    "published_at_is_readable": "the publication time cannot be read",
    "published_at_is_not_in_the_future": "the publication time is more than a day ahead",
    "published_at_is_after_1990": "the publication time is before 1990",
}
"""Name of each rule of raw news -> what is wrong where it is broken; an item is filed under the first that it breaks.

Rules are about what an article cannot be without. All else is stored as far as it can be read (`news.optional_fields`)."""

ARTICLE_RULES: dict[str, str] = {
    "id_is_a_content_hash": "the id is not 32 hexadecimal digits",
    "title_is_present": "there is no title",
    "published_at_is_after_1990": "the publication time is before 1990",
    "article_is_not_available_before_its_publication": "it counts as available before it was published",
    "story_is_an_article": "the story's name is not the id of an article",
    "tickers_are_symbols": "a ticker is no exchange symbol",
}
"""The same of articles."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that broke the contract: the first rule in the order of RULES, and all of them in words."""

    item: RawItem
    rule: str
    detail: str

    @property
    def value(self) -> str | None:
        """The text that the rule is about; None where it is missing."""
        return self.item.published_text if self.rule.startswith("published_at") else self.item.title


@dataclass(frozen=True, slots=True)
class Judgement:
    """Every item is in exactly one of the two, in its original order: accepted with its usable fields, refused as it came."""

    accepted: tuple[RawItem, ...]
    refused: tuple[Refusal, ...]


def judge(items: Sequence[RawItem], now: datetime) -> Judgement:
    """Hold `items` against the contract; `now` (aware UTC) is what the future is measured from."""
    if not items:
        return Judgement((), ())
    broken = raw_news_contract().broken(_raw_frame(items, now))
    refused = tuple(Refusal(items[index], rules[0], in_words(rules, RULES)) for index, rules in broken.items())
    return Judgement(tuple(with_usable_fields(item) for index, item in enumerate(items) if index not in broken), refused)


def broken_articles(articles: Sequence[StoryCandidate]) -> dict[str, list[str]]:
    """Id of each article that breaks the contract -> the rules that it breaks; each with the story that it tells."""
    import polars as pl

    if not articles:
        return {}
    names = ("id", "title", "published_at", "available_at", "story_id", "tickers")
    values: dict[str, list[Any]] = {name: [getattr(article, name) for article in articles] for name in names[:-1]}
    values["tickers"] = [_BETWEEN.join(article.tickers) for article in articles]
    contract = articles_contract()
    broken = contract.broken(pl.DataFrame(values, schema=contract.columns))
    return {articles[index].id: rules for index, rules in broken.items()}


def _raw_frame(items: Sequence[RawItem], now: datetime) -> Any:
    import polars as pl

    columns = raw_news_contract().columns
    values: dict[str, Any] = {}
    for name in (*_TEXTS, "problem", "published_at"):
        values[name] = [getattr(item, name) for item in items]
    series = {name: pl.Series(name, values[name], dtype=dtype, strict=False) for name, dtype in columns.items() if name != "now"}
    return pl.DataFrame(series).with_columns(now=pl.lit(now, dtype=columns["now"])).select(list(columns))


_TEXTS = ("title", "published_text")
# Tickers are judged as one text: a column of lists takes ten times as long to make.
_BETWEEN = "\x1f"
_SYMBOLS = rf"^(?:{SPELLING}(?:{_BETWEEN}{SPELLING})*)?$"
_PLACEHOLDER = r"(?i)^\W*(?:null|none|nan|n/a|undefined|untitled|no title|removed|deleted|test)\W*$"
_MARKUP = r"(?i)</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>|&(?:amp|lt|gt|quot|nbsp|#\d+|#x[0-9a-f]+);"


@cache
def raw_news_contract() -> Contract:
    """The contract of items as they came."""
    import polars as pl

    title, published = pl.col("title"), pl.col("published_at")
    instant = pl.Datetime("us", "UTC")
    texts = dict.fromkeys((*_TEXTS, "problem"), pl.String())
    columns = {**texts, "published_at": instant, "now": instant}
    return Contract(
        "RawNewsContract",
        columns,
        {
            "row_fits_its_header": pl.col("problem").is_null(),
            "title_is_present": title.is_not_null(),
            "title_has_letters": title.str.contains(r"\p{L}"),
            "title_is_no_placeholder": ~title.str.contains(_PLACEHOLDER),
            "title_is_at_most_500_characters": title.str.len_chars() <= 500,
            "title_is_decoded": ~title.str.contains(f"\ufffd|{MISREAD}"),
            "title_has_no_markup": ~title.str.contains(_MARKUP),
            "text_has_no_binary": pl.all_horizontal(~pl.col(name).fill_null("").str.contains(BINARY) for name in _TEXTS),
            "published_at_is_present": published.is_not_null() | pl.col("published_text").is_not_null(),
            "published_at_is_readable": published.is_not_null() | pl.col("published_text").is_null(),
            "published_at_is_not_in_the_future": published <= pl.col("now") + MAX_FUTURE,
            "published_at_is_after_1990": published >= datetime(1990, 1, 1, tzinfo=UTC),
        },
    )


@cache
def articles_contract() -> Contract:
    """The contract of articles as features, labels and serving read them."""
    import polars as pl

    instant, published = pl.Datetime("us", "UTC"), pl.col("published_at")
    return Contract(
        "ArticlesContract",
        {
            **dict.fromkeys(("id", "title"), pl.String()),
            **dict.fromkeys(("published_at", "available_at"), instant),
            "story_id": pl.String(),
            "tickers": pl.String(),
        },
        {
            "id_is_a_content_hash": pl.col("id").str.contains(r"^[0-9a-f]{32}$"),
            "title_is_present": pl.col("title").str.contains(r"\p{L}"),
            "published_at_is_after_1990": published >= datetime(1990, 1, 1, tzinfo=UTC),
            "article_is_not_available_before_its_publication": pl.col("available_at") >= published,
            "story_is_an_article": pl.col("story_id").str.contains(r"^[0-9a-f]{32}$"),
            "tickers_are_symbols": pl.col("tickers").str.contains(_SYMBOLS),
        },
    )
