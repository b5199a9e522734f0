"""The sample keeps what its README promises: size, balance, dates, feeds that match, and pairs that a lexicon gets wrong."""

import calendar
import html
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import feedparser
import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from sentiment_platform.local.demo.sample_data import (
    SampleHeadline,
    feed_files,
    read_headlines,
    sample_directory,
    second_wave,
)
from sentiment_platform.text.sentiment import LABELS

FIRST = datetime(2026, 3, 20, tzinfo=UTC)
END = datetime(2026, 11, 21, tzinfo=UTC)
WRITTEN = datetime(2026, 11, 23, tzinfo=UTC)
FEEDS_FROM = datetime(2026, 10, 21, tzinfo=UTC)
LONGEST_GOOD_TITLE = 300
COMPANIES = "fenmoor-desk.xml"
ENOUGH = 5
WELL_KNOWN_TICKERS = (
    "AAPL MSFT GOOG GOOGL AMZN META NVDA TSLA NFLX INTC AMD AVGO ORCL IBM CSCO ADBE CRM QCOM TXN JPM BAC WFC MS AXP PYPL "
    "JNJ PFE MRK ABBV LLY BMY AMGN GILD UNH CVS XOM CVX COP SLB BA CAT GE MMM HON LMT UPS FDX UNP DAL UAL AAL LUV KO PEP "
    "PG WMT COST TGT HD LOW MCD SBUX NKE DIS CMCSA VZ TMUS GM TM RIO BHP VALE SHEL HSBC UBS RY TD BABA TSM ASML SAP "
    "NVO AZN GSK SNY UL DEO KHC GIS MDT ABT SYK NEM FCX NUE CLF AIG MET PRU TRV ALL SPOT UBER ABNB SNAP PINS EA TTWO"
)
# What entries are broken on purpose, as feedparser hands them over.
BROKEN: dict[str, Callable[[feedparser.FeedParserDict], bool]] = {
    "no title": lambda entry: not entry.get("title"),
    "no date": lambda entry: entry.get("published_parsed") is None,
    "date in 2099": lambda entry: bool(entry.get("published_parsed")) and entry["published_parsed"][0] == 2099,
    "no link": lambda entry: not entry.get("link"),
    "script for a link": lambda entry: str(entry.get("link", "")).startswith("javascript:"),
    "endless title": lambda entry: len(entry.get("title", "")) > LONGEST_GOOD_TITLE,
}


@pytest.fixture(scope="module")
def headlines() -> list[SampleHeadline]:
    return read_headlines()


@pytest.fixture(scope="module")
def wave() -> list[SampleHeadline]:
    return second_wave()


@pytest.fixture(scope="module")
def entries() -> list[feedparser.FeedParserDict]:
    """Of the feeds that carry labelled rows."""
    labelled = [path for path in feed_files() if path.name != COMPANIES]
    return [entry for path in labelled for entry in feedparser.parse(path.read_bytes()).entries]


@pytest.fixture(scope="module")
def company_news() -> list[feedparser.FeedParserDict]:
    return feedparser.parse((sample_directory() / "feeds" / COMPANIES).read_bytes()).entries


def _defects(entry: feedparser.FeedParserDict) -> list[str]:
    return [name for name, is_broken in BROKEN.items() if is_broken(entry)]


def _stock_vader_accuracy(rows: list[SampleHeadline]) -> float:
    analyser = SentimentIntensityAnalyzer()
    hits = 0
    for row in rows:
        compound = analyser.polarity_scores(row.title)["compound"]
        guess = "positive" if compound >= 0.05 else "negative" if compound <= -0.05 else "neutral"
        hits += guess == row.label
    return hits / len(rows)


def test_at_least_640_distinct_stories_are_told(headlines: list[SampleHeadline]) -> None:
    assert len({row.story for row in headlines}) >= 640
    assert len({row.title for row in headlines}) >= 640


def test_every_class_holds_30_to_37_per_cent(headlines: list[SampleHeadline]) -> None:
    for rows in (headlines, list({row.story: row for row in headlines}.values())):
        shares = {label: sum(row.label == label for row in rows) / len(rows) for label in LABELS}
        assert all(0.30 <= share <= 0.37 for share in shares.values()), shares


def test_ids_and_addresses_are_unique_over_both_waves(headlines: list[SampleHeadline], wave: list[SampleHeadline]) -> None:
    rows = headlines + wave
    assert len({row.id for row in rows}) == len({row.url for row in rows}) == len(rows)


def test_an_equal_title_is_always_a_copy_of_the_same_story(headlines: list[SampleHeadline]) -> None:
    stories: dict[str, set[str]] = defaultdict(set)
    for row in headlines:
        stories[row.title.casefold()].add(row.story)
    assert [title for title, ids in stories.items() if len(ids) > 1] == []


def test_about_sixty_stories_run_at_two_to_four_outlets_on_one_day_with_one_label(
    headlines: list[SampleHeadline],
) -> None:
    stories: dict[str, list[SampleHeadline]] = defaultdict(list)
    for row in headlines:
        stories[row.story].append(row)
    carried = [rows for rows in stories.values() if len(rows) > 1]
    assert 55 <= len(carried) <= 70
    for rows in carried:
        assert len(rows) <= 4
        assert len({row.outlet for row in rows}) == len({row.url for row in rows}) == len(rows)
        assert len({(row.label, row.tickers, row.published_at.date()) for row in rows}) == 1
    assert any(len({row.title for row in rows}) == 1 for rows in carried)
    assert any(len({row.title for row in rows}) > 1 for rows in carried)


def test_dates_cover_eight_months_in_utc_with_quiet_weekends(headlines: list[SampleHeadline]) -> None:
    dates = [row.published_at for row in headlines]
    assert dates == sorted(dates)
    assert all(date.utcoffset() == timedelta(0) and FIRST <= date < END for date in dates)
    assert {(date.year, date.month) for date in dates} == {(2026, month) for month in range(3, 12)}
    weekend = sum(date.weekday() >= 5 for date in dates)
    assert 0 < weekend < len(dates) / 10


def test_nothing_is_dated_after_the_day_the_sample_was_written(
    headlines: list[SampleHeadline], wave: list[SampleHeadline]
) -> None:
    assert [row.id for row in headlines + wave if row.published_at >= WRITTEN] == []


def test_a_date_in_an_address_is_that_of_publication(headlines: list[SampleHeadline], wave: list[SampleHeadline]) -> None:
    dated = [(row, found) for row in headlines + wave if (found := re.search(r"/(20\d\d)[/-](\d\d)(?:[/-](\d\d))?/", row.url))]
    assert len(dated) > 300
    for row, found in dated:
        day = f"{row.published_at:%Y %m %d}".split()
        assert [part for part in found.groups() if part] == day[: 3 if found.group(3) else 2], row.url


def test_every_month_after_the_first_holds_every_label_twenty_times(headlines: list[SampleHeadline]) -> None:
    counts = Counter((row.published_at.month, row.label) for row in headlines)
    assert min(counts[month, label] for month in range(4, 12) for label in LABELS) >= 20


def test_titles_are_5_to_30_words_without_stray_space(headlines: list[SampleHeadline]) -> None:
    for row in headlines:
        assert 5 <= len(row.title.split()) <= 30, row.title
        assert " ".join(row.title.split()) == row.title


def test_a_third_of_the_rows_has_a_summary(headlines: list[SampleHeadline]) -> None:
    share = sum(bool(row.summary) for row in headlines) / len(headlines)
    assert 0.25 <= share <= 0.4


def test_tickers_are_invented_one_or_two_or_none(headlines: list[SampleHeadline], wave: list[SampleHeadline]) -> None:
    tickers = {ticker for row in headlines + wave for ticker in row.tickers}
    assert len(tickers) >= 25
    assert all(ticker.isascii() and ticker.isupper() and len(ticker) in (3, 4) for ticker in tickers)
    assert tickers & set(WELL_KNOWN_TICKERS.split()) == set()
    assert {len(row.tickers) for row in headlines} == {0, 1, 2}


def test_a_ticker_stands_for_one_company_throughout(headlines: list[SampleHeadline]) -> None:
    # The company's name is the one capitalised word that all headlines of its ticker share.
    for ticker in {ticker for row in headlines for ticker in row.tickers}:
        texts = [row.title.replace("'", " ") for row in headlines if row.tickers == (ticker,)]
        shared = set.intersection(*({word.strip(',.:;"').casefold() for word in text.split()} for text in texts))
        assert len(shared) >= 1, ticker


def test_outlets_are_on_reserved_domains(headlines: list[SampleHeadline], wave: list[SampleHeadline]) -> None:
    hosts: dict[str, set[str]] = defaultdict(set)
    for row in headlines + wave:
        url = urlsplit(row.url)
        assert url.scheme == "https"
        hosts[row.outlet].add(url.hostname or "")
    assert 6 <= len(hosts) <= 8
    assert all(len(names) == 1 and next(iter(names)).endswith(".example") for names in hosts.values())


def test_at_least_60_pairs_differ_in_label_and_are_days_apart(headlines: list[SampleHeadline]) -> None:
    pairs: dict[str, list[SampleHeadline]] = defaultdict(list)
    for row in headlines:
        if row.pair:
            pairs[row.pair].append(row)
    assert len(pairs) >= 60
    for name, rows in pairs.items():
        assert len(rows) == 2, name
        assert rows[0].label != rows[1].label, name
        # Close in time as well as in words, they would be taken for one story.
        assert abs(rows[0].published_at - rows[1].published_at) > timedelta(days=5), name


def test_a_stock_lexicon_fails_on_the_pairs(headlines: list[SampleHeadline]) -> None:
    assert _stock_vader_accuracy([row for row in headlines if row.pair]) < 0.55


def test_a_stock_lexicon_is_neither_blind_nor_sufficient_on_the_whole(headlines: list[SampleHeadline]) -> None:
    assert 0.40 < _stock_vader_accuracy(headlines) < 0.65


def test_the_feeds_are_well_formed_and_of_both_kinds() -> None:
    feeds = [feedparser.parse(path.read_bytes()) for path in feed_files()]
    assert len(feeds) >= 4
    assert not any(feed.bozo for feed in feeds)
    assert {feed.version for feed in feeds} == {"rss20", "atom10"}
    assert {feed.encoding for feed in feeds} == {"utf-8", "iso-8859-1"}
    raw = b"".join(path.read_bytes() for path in feed_files())
    assert all(
        mark in raw
        for mark in (b"<![CDATA[", b"<content:encoded>", b" &amp; ", b"&amp;euro;", b"&amp;#39;", b"&#8364;", b"xmlns:media=")
    )


def test_good_feed_items_are_rows_of_the_csv_with_title_link_and_instant(
    headlines: list[SampleHeadline], entries: list[feedparser.FeedParserDict]
) -> None:
    rows = {row.url: row for row in headlines}
    good = [entry for entry in entries if not _defects(entry)]
    assert len(good) >= 110
    for entry in good:
        row = rows[entry.link]
        # feedparser leaves character references in titles that are typed as HTML.
        assert html.unescape(entry.title) == row.title
        instant = datetime.fromtimestamp(calendar.timegm(entry.published_parsed), UTC)
        assert instant == row.published_at
        assert FEEDS_FROM <= instant < END
    assert len({entry.link for entry in good}) == len(good)
    assert len({rows[entry.link].story for entry in good}) < len(good), "no syndicated copy among the feeds"


def test_six_items_are_broken_each_in_its_own_way(entries: list[feedparser.FeedParserDict]) -> None:
    assert sorted(defects for entry in entries if (defects := _defects(entry))) == sorted([name] for name in BROKEN)


def test_four_companies_have_news_enough_for_a_mood_and_two_have_not(
    headlines: list[SampleHeadline], company_news: list[feedparser.FeedParserDict]
) -> None:
    assert not any(_defects(entry) for entry in company_news)
    told = Counter(entry.tags[0].term for entry in company_news)
    assert sum(count >= ENOUGH for count in told.values()) == 4
    assert sum(count < ENOUGH for count in told.values()) == 2
    assert {entry.title for entry in company_news} & {row.title for row in headlines} == set(), "nobody has labelled these"
    for entry in company_news:
        names = {row.title.replace("'", " ").split()[0] for row in headlines if row.tickers == (entry.tags[0].term,)}
        assert names & set(entry.title.replace("'", " ").split()), entry.title


def test_the_second_wave_comes_later_and_repeats_nothing(headlines: list[SampleHeadline], wave: list[SampleHeadline]) -> None:
    assert 75 <= len(wave) <= 90
    assert min(row.published_at for row in wave) > max(row.published_at for row in headlines)
    assert {row.title.casefold() for row in wave} & {row.title.casefold() for row in headlines} == set()
    assert {row.label for row in wave} == set(LABELS)


def test_the_second_wave_is_longer_louder_and_fuller_of_figures(
    headlines: list[SampleHeadline], wave: list[SampleHeadline]
) -> None:
    def mean(rows: list[SampleHeadline], measure: Callable[[str], float]) -> float:
        return sum(measure(row.title) for row in rows) / len(rows)

    def capitals(title: str) -> float:
        return sum(char.isupper() for char in title) / len(title)

    def digits(title: str) -> float:
        return sum(char.isdigit() for char in title)

    assert mean(wave, len) > 1.5 * mean(headlines, len)
    assert mean(wave, capitals) > 2 * mean(headlines, capitals)
    assert mean(wave, digits) > 3 * mean(headlines, digits)


def test_the_readme_states_the_counts_that_the_files_have(headlines: list[SampleHeadline], wave: list[SampleHeadline]) -> None:
    text = (sample_directory() / "README.md").read_text(encoding="utf-8")
    for rows in (headlines, wave):
        labels = Counter(row.label for row in rows)
        assert f"| {len(rows)} | " + " | ".join(str(labels[label]) for label in LABELS) + " |" in text
    assert f"{len({row.story for row in headlines})} stories" in text
    assert f"{len({row.pair for row in headlines if row.pair})} pairs" in text
    assert f"{sum(len(feedparser.parse(path.read_bytes()).entries) for path in feed_files())} items" in text


def test_the_sample_travels_with_the_package() -> None:
    names = {path.relative_to(sample_directory()).parts[0] for path in sample_directory().rglob("*") if path.is_file()}
    assert names == {"README.md", "headlines.csv", "second_wave.csv", "feeds"}
    assert isinstance(sample_directory(), Path)
