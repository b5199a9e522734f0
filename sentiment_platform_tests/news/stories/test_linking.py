import csv
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_platform.news.canonical_url import canonical_url
from sentiment_platform.news.stories.headlines import read_headline
from sentiment_platform.news.stories.linking import STORY_WINDOW, cluster_stories
from sentiment_platform.store.stories import StoryCandidate
from sentiment_platform.text.normalise import normalise, text_key

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)
WORDS = ["profit", "merger", "rises", "falls", "example", "Sample", "deal", "5%", "6%", "approves", "vote", "Q1"]


def candidate(
    id_: str, hours: float, title: str = "Profit rises", story: str | None = None, tickers: tuple[str, ...] = ()
) -> StoryCandidate:
    at = NOON + timedelta(hours=hours)
    return StoryCandidate(id=id_, title=title, outlet=None, tickers=tickers, published_at=at, available_at=at, story_id=story)


def told(*candidates: StoryCandidate) -> dict[str, str]:
    return {a.article_id: a.story_id for a in cluster_stories(candidates)}


def test_copies_within_three_days_of_the_first_tell_one_story() -> None:
    candidates = [
        candidate("c", 71),
        candidate("a", 0),
        candidate("b", 5, "PROFIT rises."),
        candidate("d", 73),
        candidate("e", 1, "Loss"),
    ]
    assert told(*candidates) == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "e"}


def test_a_settled_story_is_joined_and_not_assigned_again() -> None:
    assert told(candidate("a", 0, story="a"), candidate("b", 10, story="a"), candidate("c", 71), candidate("d", 74)) == {
        "c": "a",
        "d": "d",
    }


def test_an_article_that_comes_late_joins_the_story_and_does_not_rename_it() -> None:
    assert told(candidate("b", 10, story="b"), candidate("c", 11, story="b"), candidate("a", 0)) == {"a": "b"}


def test_an_edited_copy_joins_within_a_day_and_says_how_alike_it_is() -> None:
    first, copy = "Sample signs $38 billion cloud deal with Example", "Sample signs $38bn cloud computing deal with Example"
    (opened, joined) = cluster_stories([candidate("a", 0, first), candidate("b", 23, copy)])
    assert (opened.method, joined.story_id, joined.method) == ("opened", "a", "near_duplicate")
    assert joined.similarity == pytest.approx(6 / 7, abs=1e-3)
    assert told(candidate("a", 0, first), candidate("b", 25, copy))["b"] == "b"


def test_a_template_filled_for_two_companies_is_two_stories() -> None:
    title = "How much traders expect {} stock to move this week"
    apple, amazon = candidate("a", 0, title.format("Apple")), candidate("b", 1, title.format("Amazon"))
    assert told(apple, amazon) == {"a": "a", "b": "b"}
    one = candidate("a", 0, "Shares of the maker rise after results", tickers=("AAA",))
    assert told(one, candidate("b", 1, "Shares of the maker rise after its results", tickers=("BBB",)))["b"] == "b"
    assert told(one, candidate("b", 1, "Shares of the maker rise after its results", tickers=("AAA", "BBB")))["b"] == "a"


def test_a_headline_without_number_does_not_join_two_that_contradict_each_other() -> None:
    titles = ["Example profit rises 5% in Europe", "Example profit rises in Europe", "Example profit rises 6% in Europe"]
    assert told(*(candidate(id_, n, title) for n, (id_, title) in enumerate(zip("abc", titles, strict=True)))) == {
        "a": "a",
        "b": "a",
        "c": "c",
    }


def test_headlines_without_any_word_are_stories_of_their_own() -> None:
    assert told(candidate("a", 0, "???"), candidate("b", 1, "!!!"), candidate("c", 2, "The")) == {"a": "a", "b": "b", "c": "c"}


rows = st.lists(st.tuples(st.integers(0, 200), st.lists(st.sampled_from(WORDS), min_size=1, max_size=5)), max_size=25)


def candidates_of(found: list[tuple[int, list[str]]]) -> list[StoryCandidate]:
    return [candidate(f"{n:02}", hours, " ".join(words)) for n, (hours, words) in enumerate(found)]


@settings(deadline=None)
@given(rows, st.integers())
def test_stories_do_not_depend_on_the_order_of_the_articles(found: list[tuple[int, list[str]]], seed: int) -> None:
    candidates = candidates_of(found)
    assert cluster_stories(random.Random(seed).sample(candidates, len(candidates))) == cluster_stories(candidates)


@settings(deadline=None)
@given(rows, st.sets(st.integers(0, 200), max_size=3))
def test_days_one_by_one_give_the_stories_of_all_at_once(found: list[tuple[int, list[str]]], cuts: set[int]) -> None:
    candidates = candidates_of(found)
    stories: dict[str, str] = {}
    for end in [*sorted(cuts), 201]:
        so_far = [c for c in candidates if c.published_at < NOON + timedelta(hours=end)]
        stories |= told(*(replace(c, story_id=stories.get(c.id)) for c in so_far))
    assert stories == told(*candidates)


@settings(deadline=None)
@given(rows)
def test_every_story_is_named_after_its_first_article_and_stays_within_its_window(found: list[tuple[int, list[str]]]) -> None:
    by_id = {c.id: c for c in candidates_of(found)}
    stories = told(*by_id.values())
    assert set(stories) == set(by_id)
    for article, story in stories.items():
        assert stories[story] == story
        assert timedelta() <= by_id[article].published_at - by_id[story].published_at <= STORY_WINDOW


def seven_companies(folder: Path) -> list[StoryCandidate]:
    """The articles of the seven companies, one a page, with the tickers of every file that has it."""
    found: dict[str, StoryCandidate] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                url = canonical_url(row["news_url"]) or row["news_url"]
                at = parsedate_to_datetime(row["date"]).astimezone(UTC)
                earlier = found[url].tickers if url in found else ()
                tickers = tuple(sorted({*earlier, row["tickers"]}))
                found[url] = StoryCandidate(
                    id=url,
                    title=row["title"],
                    outlet=row["source_name"],
                    tickers=tickers,
                    published_at=at,
                    available_at=at,
                    story_id=None,
                )
    return list(found.values())


@pytest.mark.shared_data
def test_precision_and_recall_on_pairs_that_a_person_judged(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """393 pairs of headlines at most three days apart, over the whole range of similarity, most of them near the threshold.

    The rule was made on the tuning part; the held-out part was drawn and judged when it was finished. "Same": both lead with the
    same event and the same facts, so that either could stand for the other.
    """
    candidates = sorted(seven_companies(shared_data / "dated/mag7/training_news"), key=lambda c: (c.published_at, c.id))
    stories = told(*candidates)
    story_of: dict[str, str] = {}
    for c in candidates:
        story_of.setdefault(sha256(text_key(normalise(c.title)).encode()).hexdigest()[:16], stories[c.id])
    with (Path(__file__).parent / "judged_pairs.csv").open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    figures: dict[str, tuple[float, float]] = {}
    for part in ("tuning", "held_out"):
        judged = [(p["judgement"] == "same", story_of[p["first"]] == story_of[p["second"]]) for p in pairs if p["part"] == part]
        hits = sum(same and linked for same, linked in judged)
        figures[part] = (hits / sum(linked for _, linked in judged), hits / sum(same for same, _ in judged))
        with capsys.disabled():
            print(f"\n{part}: {len(judged)} pairs, precision {figures[part][0]:.3f}, recall {figures[part][1]:.3f}")
    assert len(pairs) >= 200
    assert figures["tuning"][0] >= 0.90
    assert figures["tuning"][1] >= 0.70
    assert figures["held_out"][0] >= 0.85
    assert figures["held_out"][1] >= 0.60


@pytest.mark.shared_data
def test_similarity_alone_takes_templates_for_copies(shared_data: Path) -> None:
    """The control: without contradictions, companies and the window the same pairs give a precision that nobody would ship."""
    titles = {
        sha256(text_key(normalise(c.title)).encode()).hexdigest()[:16]: read_headline(c.title).words
        for c in seven_companies(shared_data / "dated/mag7/training_news")
    }
    with (Path(__file__).parent / "judged_pairs.csv").open(encoding="utf-8", newline="") as file:
        linked = [
            p["judgement"] == "same"
            for p in csv.DictReader(file)
            if len(titles[p["first"]] & titles[p["second"]]) >= 0.5 * len(titles[p["first"]] | titles[p["second"]])
        ]
    assert sum(linked) / len(linked) < 0.65
