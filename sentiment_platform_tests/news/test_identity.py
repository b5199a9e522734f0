import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_platform.news.identity import canonical_url, cluster_stories, content_hash, external_id, story_key
from sentiment_platform.news.items import RawItem
from sentiment_platform.store.news import StoryCandidate

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)


def item(**changes: object) -> RawItem:
    values = {"source": "s", "origin": "o", "position": 1, "title": "Profit rises", "published_at": NOON}
    return RawItem(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://Example.COM:443/A/b/?utm_source=x&b=2&a=1#top", "https://example.com/A/b?a=1&b=2"),
        ("http://example.com:80", "http://example.com/"),
        ("http://example.com:8080/x/", "http://example.com:8080/x"),
        ("https://user:secret@example.com/x", "https://example.com/x"),
        ("https://example.com/a?source=feed_symbol_X", "https://example.com/a"),
        ("https://example.com/a?source=archive", "https://example.com/a?source=archive"),
        ("https://example.com/watch?v=R_pGt", "https://example.com/watch?v=R_pGt"),
        ("https://[2001:db8::1]:443/x", "https://[2001:db8::1]/x"),
        ("file:///etc/passwd", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("https://[broken/x", None),
        ("https://example.com:99999/x", None),
        (None, None),
    ],
)
def test_the_canonical_address_of_a_page(url: str | None, expected: str | None) -> None:
    assert canonical_url(url) == expected


ADDRESSES = st.builds(
    "{}://{}{}/{}?{}#{}".format,
    st.sampled_from(["http", "https", "HTTPS"]),
    st.sampled_from(["example.com", "WWW.Example.com", "[::1]", "b\u00fccher.example", "a.b."]),
    st.sampled_from(["", ":80", ":443", ":8080"]),
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=5),
)


@given(ADDRESSES)
def test_making_an_address_canonical_twice_changes_nothing(url: str) -> None:
    once = canonical_url(url)
    if once is not None:
        assert canonical_url(once) == once


@given(st.permutations(["a=1", "b=2", "b=1", "c="]), st.sampled_from(["utm_campaign=x", "fbclid=1", "gclid="]))
def test_the_order_of_the_query_and_tracking_do_not_matter(query: list[str], tracking: str) -> None:
    assert canonical_url("https://example.com/x?" + "&".join([*query, tracking])) == "https://example.com/x?a=1&b=1&b=2&c="


def test_the_same_article_has_one_content_hash_whatever_its_spelling() -> None:
    one = item(url="https://example.com/x?utm_source=a", title="Profit rises!")
    other = item(url="https://example.com/x/", title="PROFIT  rises", source="another", published_at=NOON + timedelta(days=9))
    assert content_hash(one) == content_hash(other)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Profit falls"},
        {"summary": "More."},
        {"published_at": NOON + timedelta(days=1)},
        {"outlet": "B"},
        {"source": "t"},
    ],
)
def test_without_an_address_title_summary_day_and_outlet_tell_articles_apart(changes: dict[str, object]) -> None:
    assert content_hash(item()) != content_hash(item(**changes))


def test_without_an_address_the_time_within_the_day_does_not_matter() -> None:
    assert content_hash(item()) == content_hash(item(published_at=NOON + timedelta(hours=11)))


def test_an_item_is_known_at_its_source_by_guid_then_address_then_content() -> None:
    assert external_id(item(guid="g", url="https://example.com/x")) == "g"
    assert external_id(item(url="https://example.com/x#top")) == "https://example.com/x"
    assert external_id(item()) == content_hash(item())


def test_the_outlet_behind_an_aggregators_headline_is_no_part_of_the_story() -> None:
    assert story_key("Profit rises - Daily Ledger", "Daily Ledger") == story_key("Profit rises!") == "profit rises"


def candidate(id_: str, hours: float, title: str = "Profit rises", story: str | None = None) -> StoryCandidate:
    return StoryCandidate(id_, title, None, NOON + timedelta(hours=hours), story)


def test_copies_within_three_days_of_the_first_tell_one_story() -> None:
    candidates = [
        candidate("c", 71),
        candidate("a", 0),
        candidate("b", 5, "PROFIT rises."),
        candidate("d", 73),
        candidate("e", 1, "Loss"),
    ]
    assert {a.article_id: a.story_id for a in cluster_stories(candidates)} == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "e"}


def test_a_settled_story_is_joined_and_not_assigned_again() -> None:
    candidates = [candidate("a", 0, story="a"), candidate("b", 10, story="a"), candidate("c", 71), candidate("d", 74)]
    assert {a.article_id: a.story_id for a in cluster_stories(candidates)} == {"c": "a", "d": "d"}


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from("xyz")), max_size=30), st.integers())
def test_stories_do_not_depend_on_the_order_of_the_articles(rows: list[tuple[int, str]], seed: int) -> None:
    candidates = [candidate(f"{n:02}", hours, title) for n, (hours, title) in enumerate(rows)]
    shuffled = random.Random(seed).sample(candidates, len(candidates))
    assert cluster_stories(shuffled) == cluster_stories(candidates)


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from("xyz")), max_size=30))
def test_every_article_gets_the_story_of_an_article_with_its_headline_at_most_three_days_before(
    rows: list[tuple[int, str]],
) -> None:
    by_id = {f"{n:02}": candidate(f"{n:02}", hours, title) for n, (hours, title) in enumerate(rows)}
    assignments = cluster_stories(by_id.values())
    assert {a.article_id for a in assignments} == set(by_id)
    for assignment in assignments:
        article, opener = by_id[assignment.article_id], by_id[assignment.story_id]
        assert article.title == opener.title
        assert timedelta() <= article.published_at - opener.published_at <= timedelta(days=3)
