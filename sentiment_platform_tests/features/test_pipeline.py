import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import COMPUTE
from sentiment_platform.features.connection import connect
from sentiment_platform.features.consistency import evaluate_consistency
from sentiment_platform.features.context import ArticleHistory
from sentiment_platform.features.online import TTL_S, key, read, write
from sentiment_platform.features.pipeline import refresh_context, run, story_entity
from sentiment_platform.features.schema import V1, Feature, FeatureSchema
from sentiment_platform.store.features import (
    FeatureRow,
    count_features,
    features_as_of,
    newest_features,
    write_features,
)
from sentiment_platform.store.news import articles_between
from sentiment_platform.store.news_writes import NewArticle, StoryAssignment, insert_articles, write_stories

DAY = datetime(2025, 1, 6, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)
NOW = DAY + timedelta(days=1, hours=1)


def article(number: int, minutes: float, late_minutes: float = 0, **changes: object) -> NewArticle:
    at = DAY + timedelta(minutes=minutes)
    plain = {
        "id": f"{number:032}",
        "source": "wire",
        "external_id": str(number),
        "url": None,
        "canonical_url": None,
        "outlet": f"Outlet {number % 7}",
        "title": f"Company {number} raises its outlook by {number}% after a GREAT quarter!",
        "summary": None,
        "language": None,
        "tickers": (f"T{number % 50}",),
        "published_at": at,
        "published_text": None,
        "fetched_at": at,
        "available_at": at + timedelta(minutes=late_minutes),
        "content_hash": f"{number:064}",
        "run_id": "run",
    }
    return NewArticle(**(plain | changes))  # type: ignore[arg-type]


def insert(engine: Engine, articles: Sequence[NewArticle], *, one_story: bool = False) -> None:
    with engine.begin() as connection:
        insert_articles(connection, articles)
        story = articles[0].id if one_story else None
        write_stories(connection, [StoryAssignment(a.id, story or a.id, "title_key", 1.0) for a in articles])


def offline(engine: Engine, numbers: Sequence[int], at: datetime = NOW) -> dict[str, FeatureRow]:
    with engine.connect() as connection:
        return features_as_of(connection, "v1", [f"article:{n:032}" for n in numbers], at)


def test_a_thousand_vectors_are_the_same_by_sql_by_redis_and_computed_again(engine: Engine, client: Redis) -> None:
    insert(engine, [article(n, n) for n in range(1000)])
    report = run(engine, client, V1, DAY, NEXT, NOW)
    assert (report.articles, report.online_written) == (1000, 1000)
    stored = offline(engine, range(1000))
    with engine.connect() as connection:
        known = articles_between(connection, DAY, NEXT)
    history = ArticleHistory(known)
    entities = [f"article:{a.id}" for a in known]
    assert len(stored) == len(entities) == 1000
    for one, online in zip(known, read(client, "v1", entities, NOW), strict=True):
        row = stored[f"article:{one.id}"]
        assert online.status == "PRESENT"
        assert online.values == dict(zip(V1.names, row.values, strict=True))
        assert online.as_of == row.as_of == one.available_at
        assert COMPUTE["v1"](one.title, history.context(one)) == row.values
    found = evaluate_consistency(engine, client, V1, NOW)
    assert (found.compared, found.different) == (1000, ())


def test_the_same_pass_twice_changes_no_row_and_has_the_same_digest(engine: Engine, client: Redis) -> None:
    insert(engine, [article(n, n) for n in range(20)])
    first = run(engine, client, V1, DAY, NEXT, NOW)
    with engine.connect() as connection:
        before = connection.execute(text("SELECT xmin, ctid FROM platform.processed_features ORDER BY entity")).all()
    second = run(engine, client, V1, DAY, NEXT, NOW + timedelta(hours=1))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT xmin, ctid FROM platform.processed_features ORDER BY entity")).all() == before
        assert count_features(connection, "v1") == 20
    assert second == first
    insert(engine, [article(20, 20)])
    assert run(engine, client, V1, DAY, NEXT, NOW).digest != first.digest


def test_articles_of_later_days_leave_stored_vectors_alone(engine: Engine, client: Redis) -> None:
    insert(engine, [article(n, n, tickers=("EXM",), outlet="A") for n in range(10)])
    run(engine, client, V1, DAY, NEXT, NOW)
    before = offline(engine, range(10))
    insert(engine, [article(n, 1440 + n, tickers=("EXM",), outlet="A") for n in range(10, 20)])
    run(engine, client, V1, DAY, NEXT + timedelta(days=1), NOW)
    after = offline(engine, range(20), NOW + timedelta(days=1))
    assert {entity: after[entity] for entity in before} == before
    # The trial could have failed: the later ones do count the earlier ones.
    assert after[f"article:{19:032}"].values[V1.names.index("source_articles_7d")] == 19.0


def test_an_article_that_came_late_sees_what_had_come_before_it_although_that_is_of_the_next_day(
    engine: Engine, client: Redis
) -> None:
    late = article(1, 1430, late_minutes=30, tickers=("EXM",))
    insert(engine, [late, article(2, 1445, tickers=("EXM",)), article(3, 1465, tickers=("EXM",))])
    report = run(engine, client, V1, DAY, NEXT, NOW)
    assert report.articles == 1
    assert offline(engine, [1])[f"article:{1:032}"].values[V1.names.index("ticker_articles_1d")] == 1.0


def test_a_vector_is_not_known_before_its_time(engine: Engine, client: Redis) -> None:
    insert(engine, [article(1, 60)])
    run(engine, client, V1, DAY, NEXT, NOW)
    known_at = DAY + timedelta(minutes=60)
    assert offline(engine, [1], known_at - timedelta(microseconds=1)) == {}
    assert list(offline(engine, [1], known_at)) == [f"article:{1:032}"]


def test_the_join_takes_the_newest_row_of_each_entity_that_is_not_in_the_future(engine: Engine) -> None:
    moments = [DAY + timedelta(hours=h) for h in range(3)]
    rows = [FeatureRow(entity, "v1", at, None, (float(n), None)) for entity in "ab" for n, at in enumerate(moments)]
    with engine.begin() as connection:
        write_features(connection, [*rows, FeatureRow("a", "v2", moments[1], None, (9.0,))])
        found = features_as_of(connection, "v1", ["a", "b", "c"], moments[1])
        assert [(row.entity, row.values, row.as_of) for row in found.values()] == [
            ("a", (1.0, None), moments[1]),
            ("b", (1.0, None), moments[1]),
        ]
        assert features_as_of(connection, "v2", ["a"], moments[1])["a"].values == (9.0,)
        assert [row.as_of for row in newest_features(connection, "v1", 3)] == [moments[2], moments[2], moments[1]]


def test_a_corrected_vector_replaces_its_row_and_says_when(engine: Engine) -> None:
    row = FeatureRow("a", "v1", DAY, None, (1.0, None))
    with engine.begin() as connection:
        write_features(connection, [row])
    with engine.connect() as connection:
        first = connection.execute(text("SELECT computed_at FROM platform.processed_features")).scalar_one()
    with engine.begin() as connection:
        write_features(connection, [FeatureRow("a", "v1", DAY, None, (1.0, 2.0))])
        values, computed_at = connection.execute(text("SELECT values, computed_at FROM platform.processed_features")).one()
    assert values == [1.0, 2.0]
    assert computed_at > first


def test_without_redis_the_vectors_are_in_postgresql_and_the_next_pass_brings_redis_up(engine: Engine, client: Redis) -> None:
    insert(engine, [article(n, n) for n in range(30)])
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = connect(f"redis://127.0.0.1:{closed.getsockname()[1]}/0")
        with pytest.raises(RedisConnectionError):
            run(engine, dead, V1, DAY, NEXT, NOW)
        dead.close()
    assert len(offline(engine, range(30))) == 30
    assert client.dbsize() == 0
    run(engine, client, V1, DAY, NEXT, NOW)
    assert evaluate_consistency(engine, client, V1, NOW).compared == 30


def test_the_comparison_finds_what_redis_has_wrong_and_passes_over_what_expired(engine: Engine, client: Redis) -> None:
    insert(engine, [article(n, n) for n in range(3)])
    run(engine, client, V1, DAY, NEXT, NOW)
    entities = [f"article:{n:032}" for n in range(3)]
    wrong = read(client, "v1", entities[:1], NOW)[0].values or {}
    write(client, "v1", [(entities[0], {**wrong, "word_count": 99.0}, DAY)], NOW)
    client.delete(key("v1", entities[1]))
    found = evaluate_consistency(engine, client, V1, NOW)
    assert (found.compared, found.different) == (2, (entities[0],))
    assert evaluate_consistency(engine, client, V1, NOW + timedelta(seconds=TTL_S + 1)).compared == 0


def test_requests_find_how_widely_a_story_runs_and_how_busy_ticker_and_outlet_are(engine: Engine, client: Redis) -> None:
    title = "Regulator opens an inquiry"
    batch = [article(n, n, title=title, tickers=("EXM",)) for n in range(3)]
    insert(engine, batch, one_story=True)
    run(engine, client, V1, DAY, NEXT, NOW)
    now = DAY + timedelta(hours=2)
    assert refresh_context(engine, client, V1, now) == 4
    entities = [story_entity(f" {title.upper()}! "), "ticker:EXM", "source:Outlet 1"]
    values = [value.values for value in read(client, "v1", entities, now)]
    assert values == [{"story_outlets": 3.0}, {"ticker_articles_1d": 3.0}, {"source_articles_7d": 1.0}]


def test_a_vector_out_of_range_is_written_nowhere(engine: Engine, client: Redis) -> None:
    insert(engine, [article(1, 1)])
    narrow = FeatureSchema("v1", (Feature("word_count", "lexical", 0, 3, False, "Words."), *V1.features[1:]))
    with pytest.raises(PermanentError, match="word_count"):
        run(engine, client, narrow, DAY, NEXT, NOW)
    assert offline(engine, [1]) == {}
    assert client.dbsize() == 0
