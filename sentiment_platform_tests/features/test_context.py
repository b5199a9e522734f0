from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_platform.features.compute import FeatureContext
from sentiment_platform.features.context import ArticleHistory
from sentiment_platform.store.articles import Article

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)
HOUR = 60


def article(
    number: int, minutes: float, tickers: Sequence[str] = ("EXM",), outlet: str | None = "A", story: str = "s"
) -> Article:
    at = NOON + timedelta(minutes=minutes)
    return Article(
        id=f"{number:032}",
        title=f"Title {number}",
        summary=None,
        source="wire",
        outlet=outlet,
        tickers=tuple(tickers),
        published_at=at,
        available_at=at,
        story_id=story,
    )


articles = st.lists(
    st.tuples(
        st.integers(0, 9 * 24 * HOUR),
        st.lists(st.sampled_from("XYZ"), max_size=2, unique=True),
        st.sampled_from(["A", "B", None]),
        st.sampled_from("st"),
    ),
    min_size=1,
    max_size=25,
).map(lambda rows: [article(number, *row) for number, row in enumerate(rows)])

Contexts = Callable[[Sequence[Article], Article], FeatureContext]


def as_known_then(known: Sequence[Article], one: Article) -> FeatureContext:
    return ArticleHistory(known).context(one)


def as_known_today(known: Sequence[Article], one: Article) -> FeatureContext:
    """The leak that the point-in-time rule forbids: windows that are open at their end."""
    history = ArticleHistory(known)
    later = max(other.available_at for other in known)
    return FeatureContext(
        published_at=one.published_at,
        story_outlets=float(len({other.outlet for other in known if other.story_id == one.story_id})),
        ticker_articles_1d=max((history.ticker_articles(ticker, later) for ticker in one.tickers), default=None),
        source_articles_7d=history.source_articles(one.outlet or one.source, later),
    )


def unchanged_by_later_ones(contexts: Contexts, known: Sequence[Article], cut: datetime) -> bool:
    earlier = [one for one in known if one.available_at <= cut]
    return all(contexts(earlier, one) == contexts(known, one) for one in earlier)


@settings(max_examples=300, deadline=None)
@given(known=articles, minutes=st.integers(0, 9 * 24 * HOUR))
def test_later_articles_never_change_an_earlier_context(known: list[Article], minutes: int) -> None:
    assert unchanged_by_later_ones(as_known_then, known, NOON + timedelta(minutes=minutes))


def test_a_context_that_looks_ahead_fails_the_same_trial() -> None:
    known = [article(1, 0), article(2, 30, outlet="B")]
    assert unchanged_by_later_ones(as_known_then, known, NOON)
    assert not unchanged_by_later_ones(as_known_today, known, NOON)


@settings(max_examples=100, deadline=None)
@given(known=articles)
def test_windows_count_what_a_plain_loop_counts_in_any_order(known: list[Article]) -> None:
    history = ArticleHistory(known[::-1])
    for one in known:
        day, week = one.available_at - timedelta(days=1), one.available_at - timedelta(days=7)
        before = [other for other in known if other.available_at < one.available_at]
        busiest = [sum(t in other.tickers and other.available_at >= day for other in before) for t in one.tickers]
        outlets = {o.outlet for o in known if o.story_id == one.story_id and week <= o.available_at <= one.available_at}
        assert history.context(one) == FeatureContext(
            published_at=one.published_at,
            story_outlets=len({outlet or "wire" for outlet in outlets}),
            ticker_articles_1d=max(busiest, default=None),
            source_articles_7d=sum(other.outlet == one.outlet and other.available_at >= week for other in before),
        )


def test_an_article_without_ticker_has_no_ticker_count_and_one_alone_has_zero() -> None:
    alone = article(1, 0)
    history = ArticleHistory([alone, article(2, 0, tickers=())])
    assert history.context(article(2, 0, tickers=())).ticker_articles_1d is None
    assert history.context(alone).ticker_articles_1d == 0.0
    assert history.context(alone).story_outlets == 1.0


@pytest.mark.parametrize(("minutes", "counted"), [(24 * HOUR, 1.0), (24 * HOUR + 1 / 60, 0.0)])
def test_a_day_is_24_hours_and_not_a_moment_more(minutes: float, counted: float) -> None:
    history = ArticleHistory([article(1, 0)])
    assert history.ticker_articles("EXM", NOON + timedelta(minutes=minutes)) == counted


def test_an_article_without_outlet_counts_for_its_source() -> None:
    history = ArticleHistory([article(1, 0, outlet=None), article(2, 1, outlet=None)])
    assert history.outlets() == ["wire"]
    assert history.context(article(2, 1, outlet=None)).source_articles_7d == 1.0
