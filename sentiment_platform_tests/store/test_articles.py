from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, text

from sentiment_platform.store import articles, collection_reports, quarantine, stories, wordings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.stories import StoryAssignment
from sentiment_platform_tests.store.articles import NOON, article


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = create_platform_engine(database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def rows(connection: Connection, table: str) -> int:
    return connection.execute(text(f"SELECT count(*) FROM platform.{table}")).scalar_one()


def test_the_same_articles_twice_and_within_one_batch_are_stored_once(connection: Connection) -> None:
    batch = [article(1), article(1, source="other"), article(2)]
    assert articles.insert_articles(connection, batch) == 2
    assert articles.insert_articles(connection, batch) == 0
    assert (rows(connection, "raw_data"), rows(connection, "sightings")) == (2, 3)
    assert articles.insert_articles(connection, []) == 0


def test_a_known_external_id_with_another_content_stays_as_it_was(connection: Connection) -> None:
    assert articles.insert_articles(connection, [article(1, external_id="x")]) == 1
    assert articles.insert_articles(connection, [article(2, external_id="x")]) == 0
    assert [a.title for a in articles.articles_between(connection, NOON, NOON + timedelta(hours=1))] == ["Title 1"]


def test_several_articles_may_be_seen_under_one_name_of_a_source(connection: Connection) -> None:
    articles.insert_articles(connection, [article(1), article(2)])
    articles.insert_sightings(connection, [article(1, external_id="y"), article(2, external_id="y")])
    assert (rows(connection, "raw_data"), rows(connection, "sightings")) == (2, 4)
    known = wordings.known_articles(connection, [article(2, external_id="y"), article(3, external_id="z", hours=9)])
    assert {one.id for one in known if one.external_id == "y"} == {article(1).id, article(2).id}


def test_a_wording_is_kept_once_and_read_with_its_article(connection: Connection) -> None:
    first = article(1)
    articles.insert_articles(connection, [first])
    other = wordings.Revision(
        article_id=first.id,
        wording="w",
        title="Title 1, reworded",
        summary=None,
        published_at=NOON,
        available_at=NOON + timedelta(hours=1),
        run_id="r",
    )
    assert [wordings.insert_revisions(connection, [other]) for _ in range(2)] == [1, 0]
    known = wordings.known_articles(connection, [first])
    assert {one.titles for one in known} == {("Title 1", "Title 1, reworded")}


def test_articles_between_is_half_open_ordered_and_knows_stories(connection: Connection) -> None:
    articles.insert_articles(connection, [article(3, hours=2), article(1), article(2, hours=1)])
    first = article(1).id
    stories.write_stories(connection, [StoryAssignment(article(2).id, first, "title_key", 1.0)])
    found = articles.articles_between(connection, NOON, NOON + timedelta(hours=2))
    assert [(a.title, a.story_id, a.tickers) for a in found] == [("Title 1", first, ("EXM",)), ("Title 2", first, ("EXM",))]
    assert [c.story_id for c in stories.story_candidates(connection, NOON, NOON + timedelta(hours=2))] == [None, first]


def test_days_whose_articles_wait_for_a_story(connection: Connection) -> None:
    articles.insert_articles(connection, [article(1), article(2, hours=-36)])
    start, end = NOON - timedelta(days=9), NOON + timedelta(days=1)
    assert stories.days_without_stories(connection, start, end) == [date(2025, 1, 5), date(2025, 1, 6)]
    stories.write_stories(connection, [StoryAssignment(article(2).id, article(2).id, "title_key", 1.0)])
    assert stories.days_without_stories(connection, start, end) == [date(2025, 1, 6)]


def test_writing_an_assignment_again_touches_no_row(connection: Connection) -> None:
    articles.insert_articles(connection, [article(1)])
    assignment = StoryAssignment(article(1).id, article(1).id, "title_key", 1.0)
    stories.write_stories(connection, [assignment])
    before = connection.execute(text("SELECT xmin, ctid FROM platform.story_clusters")).one()
    stories.write_stories(connection, [assignment])
    assert connection.execute(text("SELECT xmin, ctid FROM platform.story_clusters")).one() == before


def test_quarantine_is_listed_by_source_and_rule_without_what_was_released(connection: Connection) -> None:
    items = [
        quarantine.refused_row("raw_news", s, {"n": n}, rule=r, detail="why", run_id="run", now=NOON, identity=str(n))
        for n, s, r in [(1, "a", "x"), (2, "a", "y"), (3, "b", "x")]
    ]
    for _ in range(2):
        quarantine.insert_quarantine(connection, items)
    assert [i.id for i in quarantine.quarantined_items(connection, source="a")] == ["1", "2"]
    assert [i.id for i in quarantine.quarantined_items(connection, rule="x", limit=1)] == ["1"]
    connection.execute(text("UPDATE platform.quarantine SET released_at = now() WHERE id = '3'"))
    assert {i.id for i in quarantine.quarantined_items(connection)} == {"1", "2"}


def test_the_latest_collection_of_each_source(connection: Connection) -> None:
    for hours, source, run in [(0, "a", "1"), (1, "a", "2"), (0, "b", "1")]:
        report = collection_reports.CollectionReport(
            source=source,
            run_id=run,
            fetched=1,
            stored=1,
            duplicate=0,
            quarantined=0,
            outcome="collected",
            detail=None,
            finished_at=NOON + timedelta(hours=hours),
        )
        collection_reports.record_collection(connection, report)
    assert [(r.source, r.run_id) for r in collection_reports.latest_collections(connection)] == [("a", "2"), ("b", "1")]
    assert [r.source for r in collection_reports.collections_of_run(connection, "1")] == ["a", "b"]
