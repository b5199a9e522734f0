from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import log, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_platform.features.compute import compute_v1, compute_v2, stock_engine
from sentiment_platform.features.context import ArticleHistory
from sentiment_platform.features.rolling import PRICE_LOOKBACK, RollingHistory
from sentiment_platform.features.schema import V1, V2
from sentiment_platform.market.calendar import final_at
from sentiment_platform.market.symbol_exchange import exchange_of
from sentiment_platform.store.articles import Article

NOON = datetime(2025, 1, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TITLES = ("Profit rises to a great record", "Plant burns down in a terrible disaster", "The board meets on Monday")
GOOD, BAD, FLAT = (stock_engine().score(title).compound for title in TITLES)


@dataclass(frozen=True)
class Bar:
    symbol: str
    close: float
    available_at: datetime


def article(number: int, days_ago: float, said: int = 0, outlet: str = "A", story: str = "", ticker: str = "X") -> Article:
    at = NOON - timedelta(days=days_ago)
    return Article(
        id=f"{number:032}",
        title=TITLES[said],
        summary=None,
        source="wire",
        outlet=outlet,
        tickers=(ticker,),
        published_at=at,
        available_at=at,
        story_id=story or str(number),
    )


def test_tone_of_a_ticker_by_hand() -> None:
    history = RollingHistory([article(1, 3.5, 0), article(2, 1.5, 1), article(3, 0.5, 0), article(4, 0.0, 1), article(5, 7.1, 1)])
    values = history.ticker_values("X", NOON)
    assert values["ticker_articles_1d"] == 1.0
    assert values["ticker_sentiment_1d"] == GOOD
    weights = [0.125, 0.5, 1.0]
    assert values["ticker_sentiment_7d"] == pytest.approx((GOOD * 0.125 + BAD * 0.5 + GOOD) / sum(weights))
    # Nothing arrives: nothing changes, however many hours pass.
    assert history.ticker_values("X", NOON - timedelta(hours=1))["ticker_sentiment_7d"] == values["ticker_sentiment_7d"]
    assert values["ticker_volume_surprise"] == pytest.approx(log(2) - log(1 + 3 / 7))
    silent = history.ticker_values("X", NOON + 20 * DAY)
    assert (silent["ticker_sentiment_1d"], silent["ticker_sentiment_7d"], silent["ticker_volume_surprise"]) == (None, None, 0.0)


def test_reliability_falls_with_copies_and_refusals_and_is_unknown_without_items() -> None:
    articles = [
        article(1, 3, story="s"),
        article(2, 2.5, outlet="B", story="s"),
        article(3, 2, outlet="B"),
        article(4, 1, outlet="B"),
    ]
    refused = [("B", NOON - DAY), ("B", NOON + DAY), ("B", NOON - 8 * DAY)]
    history = RollingHistory(articles, refused)
    assert history.source_values("A", NOON)["source_reliability"] == 1.0
    # Three articles, one of them a copy, and one refused item.
    assert history.source_values("B", NOON)["source_reliability"] == 0.5
    assert history.source_values("C", NOON)["source_reliability"] is None
    late = RollingHistory([article(1, 6, story="s"), article(2, 2.5, outlet="B", story="s")])
    assert late.source_values("B", NOON)["source_reliability"] == 1.0, "after three days it is told anew"


def test_returns_and_volatility_are_of_closes_known_then() -> None:
    closes = [100.0 * 1.01**n * (1.02 if n % 2 else 1.0) for n in range(30)]
    bars = [Bar("X", close, NOON - (29 - n) * DAY) for n, close in enumerate(closes)]
    values = RollingHistory([], (), bars).ticker_values("X", NOON)
    assert values["ticker_return_1d"] == closes[-1] / closes[-2] - 1
    assert values["ticker_return_5d"] == closes[-1] / closes[-6] - 1
    returns = [log(b / a) for a, b in zip(closes[-21:-1], closes[-20:], strict=True)]
    mean = sum(returns) / 20
    assert values["ticker_volatility_20d"] == pytest.approx(sqrt(sum((r - mean) ** 2 for r in returns) / 19))
    # A moment before the last close it is not known yet.
    before = RollingHistory([], (), bars).ticker_values("X", NOON - timedelta(microseconds=1))
    assert before["ticker_return_1d"] == closes[-2] / closes[-3] - 1
    # Old prices, or too few, are no prices.
    assert RollingHistory([], (), bars).ticker_values("X", NOON + 8 * DAY)["ticker_return_1d"] is None
    assert RollingHistory([], (), bars[-6:]).ticker_values("X", NOON)["ticker_volatility_20d"] is None


def test_closes_that_differ_too_much_give_no_return() -> None:
    def returned(close: float) -> float | None:
        bars = [Bar("X", 1.0, NOON - DAY), Bar("X", close, NOON)]
        return RollingHistory([], [], bars).ticker_values("X", NOON)["ticker_return_1d"]

    assert returned(11.0) == 10.0
    assert returned(11.5) is None


articles = st.lists(
    st.tuples(
        st.integers(0, 25 * 24 * 60),
        st.sampled_from([0, 1, 2]),
        st.sampled_from("AB"),
        st.sampled_from(["s", "t", ""]),
        st.sampled_from("XY"),
    ),
    min_size=1,
    max_size=25,
).map(lambda rows: [article(n, minutes / 1440, said, *rest) for n, (minutes, said, *rest) in enumerate(rows)])
bars = st.lists(st.tuples(st.integers(0, 60), st.floats(1, 100)), max_size=30, unique_by=lambda row: row[0]).map(
    lambda rows: [Bar("X", close, NOON - days * DAY) for days, close in rows]
)


@settings(max_examples=200, deadline=None)
@given(known=articles, closes=bars, minutes=st.integers(0, 25 * 24 * 60))
def test_neither_the_future_nor_a_longer_past_changes_a_vector(known: list[Article], closes: list[Bar], minutes: int) -> None:
    at = NOON - timedelta(minutes=minutes)
    reach = at - RollingHistory.lookback
    whole = RollingHistory(known, [("A", NOON), ("A", at - DAY)], closes)
    part = RollingHistory(
        [one for one in known if reach <= one.available_at <= at],
        [("A", at - DAY)],
        [bar for bar in closes if at - PRICE_LOOKBACK - DAY <= bar.available_at <= at],
    )
    for ticker in "XY":
        assert part.ticker_values(ticker, at) == whole.ticker_values(ticker, at)
    assert part.source_values("A", at) == whole.source_values("A", at)
    for one in known:
        if one.available_at == at:
            V2.validate(compute_v2(one.title, whole.context(one)))


@settings(max_examples=100, deadline=None)
@given(known=articles)
def test_the_first_fifteen_values_of_v2_are_those_of_v1(known: Sequence[Article]) -> None:
    first, second = ArticleHistory(known), RollingHistory(known)
    for one in known:
        v2 = compute_v2(one.title, second.context(one))
        assert v2[: len(V1.names)] == compute_v1(one.title, first.context(one))
        V2.validate(v2)


@pytest.mark.parametrize(
    ("symbol", "moment", "newest"),
    [
        # Seoul closes at 06:30, London at 16:30, New York at 21:00; crypto's day ends at midnight, a date everywhere at noon.
        ("999990.KS", "2025-02-19T06:29", 18),
        ("999990.KS", "2025-02-19T06:30", 19),
        ("LMP.L", "2025-02-19T16:29", 18),
        ("LMP.L", "2025-02-19T16:30", 19),
        ("LMP", "2025-02-19T20:59", 18),
        ("LMP", "2025-02-19T21:00", 19),
        ("BTC-USD", "2025-02-19T23:59", 18),
        ("BTC-USD", "2025-02-20T00:00", 19),
        ("LMP.QQ", "2025-02-20T11:59", 18),
        ("LMP.QQ", "2025-02-20T12:00", 19),
    ],
)
def test_a_return_knows_the_closes_of_its_own_exchange_and_none_that_is_to_come(symbol: str, moment: str, newest: int) -> None:
    closes = {18: 102.0, 19: 105.0, 20: 111.0}
    final = {day: final_at(exchange_of(symbol), date(2025, 2, day)) for day in (14, *closes)}
    bars = [Bar(symbol, close, at) for day, close in ({14: 100.0} | closes).items() if (at := final[day]) is not None]
    known = RollingHistory([], closes=bars).ticker_values(symbol, datetime.fromisoformat(moment).replace(tzinfo=UTC))
    before = {18: 100.0, 19: 102.0}[newest]
    assert known["ticker_return_1d"] == pytest.approx(closes[newest] / before - 1)
