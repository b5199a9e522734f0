"""Which stored article an item is: a table of pairs, and several ticks into a real database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.features.context import ArticleHistory
from sentiment_platform.news.admission import Tally, article_of, store_items
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.resolution import resolve
from sentiment_platform.store.articles import articles_between
from sentiment_platform.store.wordings import KnownArticle

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
TICK = timedelta(minutes=15)


def item(title: str, *, guid: str | None = None, url: str | None = None, hours: float = -1, **more: Any) -> RawItem:
    published = NOW + timedelta(hours=hours)
    values: dict[str, Any] = {"source": "wire", "origin": "o", "position": 1, "published_text": "x", "outlet": "Quay Post"}
    return RawItem(title=title, guid=guid, url=url, published_at=published, **values | more)


def ticks(engine: Engine, *documents: Sequence[RawItem], archived: bool = False) -> list[Tally]:
    tallies = list[Tally]()
    for number, document in enumerate(documents):
        with engine.begin() as connection:
            now = NOW + number * TICK
            tallies.append(store_items(connection, document, run_id=f"run {number}", now=now, archived=archived))
    assert all(tally.fetched == tally.stored + tally.duplicate + tally.quarantined for tally in tallies)
    return tallies


def stored(engine: Engine, table: str, columns: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM platform.{table} ORDER BY 1, 2"))]


OTHER, REVISION, SAME = "other", "revision", "same"


@pytest.mark.parametrize(
    ("first", "second", "hours", "expected"),
    [
        ("Kiln maker lifts outlook", "KILN MAKER lifts outlook!", 0, SAME),
        ("Kiln maker lifts outlook", "Kiln maker lifts outlook", 400, SAME),
        ("Kiln maker lifts outlook", "Kiln maker lifts its outlook for the year", 0, REVISION),
        ("Kiln maker lifts outlook", "Kiln maker raises outlook", 2, REVISION),
        (
            "Kiln maker lifts outlook",
            "Kiln maker lifts outlook, shares jump to a record as demand for tiles stays strong",
            1,
            REVISION,
        ),
        ("Kiln Maker Lifts Outlook", "Kiln Maker Raises Outlook", 0, REVISION),
        ("Kiln maker lifts outlook", "Kiln maker lifts outlook again", 100, OTHER),
        ("Kiln maker lifts outlook", "Kiln maker cuts outlook", 0, REVISION),
        ("Kiln Maker Profit Rises", "Kiln Maker Profit Falls", 0, REVISION),
        ("Kiln maker profit rises 5%", "Kiln maker profit rises 6%", 0, REVISION),
        ("Kiln maker to buy rival", "Kiln maker not to buy rival", 0, REVISION),
        ("Kiln maker profit rises 5%", "CORRECTED-Kiln maker profit falls 5%", 7, REVISION),
        ("Kiln maker profit rises in May on tiles", "Kiln maker profit falls in May on tiles (corrects sign)", 7, REVISION),
        ("Kiln maker shares rise", "Kiln maker shares fall into correction", 7, OTHER),
        ("Kiln maker lifts outlook", "Kiln maker cuts outlook", 2, OTHER),
        ("Kiln maker profit rises 5%", "Kiln maker profit rises 6%", 2, OTHER),
        ("Kiln maker to buy rival", "Kiln maker not to buy rival", 2, OTHER),
        ("Kiln maker votes on merger", "Kiln maker approves merger", 2, OTHER),
        ("Quay Bank profit rises in May", "Loom Bank profit falls in May", 0, OTHER),
        ("Part one of the kiln series", "Part two of the kiln series", 0, OTHER),
        ("Quay Bank trims forecast", "Loom Bank trims forecast", 5, OTHER),
        ("Kiln maker lifts outlook", "Quay Bank warns of heavy losses", 0, OTHER),
        ("Kiln maker lifts outlook", "Kiln maker names a chair", 0, OTHER),
    ],
)
def test_one_name_and_two_titles(first: str, second: str, hours: float, expected: str) -> None:
    known = article_of(item(first, guid="g", url="https://e.example/1"), "r", NOW, archived=False)
    came = article_of(item(second, guid="g", url="https://e.example/2", hours=hours - 1), "r", NOW + TICK, archived=False)
    stands = KnownArticle(
        id=known.id,
        source=known.source,
        external_id=known.external_id,
        outlet=known.outlet,
        titles=(known.title,),
        tickers=(),
        published_at=known.published_at,
        run_id="an earlier run",
    )
    resolution = resolve([came], [stands])
    fate = OTHER if resolution.articles else REVISION if resolution.revisions else SAME
    assert fate == expected
    assert [one.id for one in resolution.sightings] == [came.id if expected == OTHER else known.id]


def test_what_one_run_brings_under_one_guid_corrects_nothing_but_another_run_does(engine: Engine) -> None:
    numbered = [item(f"Kiln maker {n} raises its outlook", guid="g", url="https://e.example/1") for n in (1, 1000)]
    ticks(engine, numbered)
    assert len(stored(engine, "raw_data", "title, available_at")) == 2
    assert stored(engine, "article_revisions", "title, available_at") == []
    ticks(engine, *([item(f"Quay Bank {verb} its forecast", guid="h", url="https://e.example/2")] for verb in ("lifts", "trims")))
    assert len(stored(engine, "raw_data", "title, available_at")) == 3
    assert [title for title, _ in stored(engine, "article_revisions", "title, available_at")] == ["Quay Bank trims its forecast"]


def test_a_guid_that_is_used_again_for_another_story_names_another_article(engine: Engine) -> None:
    ticks(
        engine,
        [item("Kiln maker lifts outlook", guid="1", url="https://e.example/1")],
        [item("Quay Bank warns of heavy losses", guid="1", url="https://e.example/9")],
        [item("Quay Bank warns of heavy losses", guid="1", url="https://e.example/9")],
        [item("Kiln maker lifts outlook", guid="1", url="https://e.example/1", summary="More of it.")],
    )
    assert stored(engine, "raw_data", "title, available_at") == [
        ("Kiln maker lifts outlook", NOW),
        ("Quay Bank warns of heavy losses", NOW + TICK),
    ]


def test_a_moved_time_and_a_changing_summary_under_one_guid_are_one_article(engine: Engine) -> None:
    documents = [
        [item("Kiln maker lifts outlook", guid="g", url="https://e.example/1", hours=n, summary=f"{n}")] for n in (-9, -4, -1)
    ]
    tallies = ticks(engine, *documents)
    assert [(tally.stored, tally.duplicate, tally.note) for tally in tallies] == [(1, 0, None), (0, 1, None), (0, 1, None)]
    assert (len(stored(engine, "raw_data", "id, title")), stored(engine, "article_revisions", "title, wording")) == (1, [])


def test_a_reworded_story_keeps_what_was_known_at_each_tick(engine: Engine) -> None:
    titles = (
        "Kiln maker lifts outlook",
        "Kiln maker lifts outlook for the year",
        "Kiln maker lifts outlook for the year, shares jump",
    )
    documents = [
        [item(title, guid="g", url="https://e.example/1")] for title in (titles[0], titles[1], titles[1], titles[2], titles[0])
    ]
    tallies = ticks(engine, *documents)
    assert [tally.note for tally in tallies] == [None, "reworded: 1", None, "reworded: 1", None]
    assert stored(engine, "raw_data", "title, available_at") == [(titles[0], NOW)]
    assert stored(engine, "article_revisions", "title, available_at") == [(titles[1], NOW + TICK), (titles[2], NOW + 3 * TICK)]


def test_a_correction_with_the_opposite_sign_is_known_from_its_own_moment(engine: Engine) -> None:
    ticks(
        engine,
        [item("Kiln maker profit rises", guid="g", url="https://e.example/1")],
        [item("Kiln maker profit falls", guid="g", url="https://e.example/1")],
    )
    assert stored(engine, "raw_data", "title, available_at") == [("Kiln maker profit rises", NOW)]
    assert stored(engine, "article_revisions", "title, available_at") == [("Kiln maker profit falls", NOW + TICK)]


def test_an_archive_that_tells_a_time_otherwise_does_not_reach_back(engine: Engine) -> None:
    first = item("Kiln maker profit rises", guid="g", url="https://e.example/1", hours=-90)
    second = item("Kiln maker profit falls", guid="g", url="https://e.example/1", hours=-90)
    ticks(engine, [first], [second], archived=True)
    assert stored(engine, "raw_data", "title, available_at") == [("Kiln maker profit rises", first.published_at)]
    assert stored(engine, "article_revisions", "title, available_at") == [("Kiln maker profit falls", NOW + TICK)]


@pytest.mark.parametrize("guid", ["https://e.example/", None])
def test_one_name_for_all_items_of_a_document_names_none_and_the_report_says_so(engine: Engine, guid: str | None) -> None:
    url = None if guid else "https://e.example/live"
    items = [
        item(f"Kiln number {n} opens a plant", guid=guid, url=url or f"https://e.example/{n}", hours=-n) for n in range(1, 5)
    ]
    first, again, fewer = ticks(engine, items, items, items[:1])
    what = "guid" if guid else "address"
    assert (first.stored, first.note) == (4, f"one {what} names 4 items, which are told apart by address and text")
    assert (again.stored, again.duplicate, fewer.duplicate) == (0, 4, 1)
    assert len(stored(engine, "raw_data", "id, title")) == 4


def test_a_page_whose_headline_changes_at_every_tick_is_an_article_for_each_headline(engine: Engine) -> None:
    titles = ("Kiln maker opens a plant", "Quay Bank warns of losses", "Loom prices jump to a record")
    ticks(engine, *([item(title, url="https://e.example/live", hours=n)] for n, title in enumerate(titles, start=-3)))
    assert [title for title, _ in stored(engine, "raw_data", "title, id")] == sorted(titles)


@pytest.mark.parametrize(
    "links",
    [
        [f"https://aggregator.example/r/{n}" for n in range(4)],
        ["http://e.example/ten", "https://e.example/ten", "HTTP://www.e.example/ten", "https://e.example/ten?utm_source=x"],
    ],
)
def test_changing_links_are_sightings_of_one_article_and_the_counting_features_say_one(engine: Engine, links: list[str]) -> None:
    documents = [
        [item("Kiln maker lifts outlook", url=link, guid=None if "ten" in link else link, tickers=("KILN",))] for link in links
    ]
    tallies = ticks(engine, *documents)
    assert [(tally.stored, tally.duplicate) for tally in tallies] == [(1, 0), (0, 1), (0, 1), (0, 1)]
    with engine.connect() as connection:
        articles = articles_between(connection, NOW - timedelta(days=1), NOW + timedelta(days=1))
    history = ArticleHistory(articles)
    later = NOW + 5 * TICK
    assert (history.ticker_articles("KILN", later), history.source_articles("Quay Post", later)) == (1.0, 1.0)


def test_stories_that_share_a_title_alone_do_not_merge(engine: Engine) -> None:
    ticks(
        engine,
        [item("Market wrap", url="https://e.example/1"), item("Market wrap", url="https://e.example/2", hours=-2)],
        [item("Market wrap", url="https://e.example/3", outlet="Loom Daily")],
        [item("Market wrap", url="https://e.example/4", source="other")],
    )
    assert len(stored(engine, "raw_data", "id, title")) == 4


def test_links_that_differ_within_one_document_are_one_article(engine: Engine) -> None:
    (tally,) = ticks(engine, [item("Kiln maker lifts outlook", guid=f"g{n}", url=f"https://e.example/{n}") for n in range(3)])
    assert (tally.stored, tally.duplicate) == (1, 2)
    assert len(stored(engine, "sightings", "external_id, article_id")) == 3
