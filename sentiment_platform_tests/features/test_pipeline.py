import socket
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import Engine, text

from sentiment_platform.entities import story_entity
from sentiment_platform.features.compute import COMPUTE
from sentiment_platform.features.connection import connect
from sentiment_platform.features.context import ArticleHistory
from sentiment_platform.features.online import read
from sentiment_platform.features.pipeline import refresh_context, run
from sentiment_platform.features.reconciliation import compare
from sentiment_platform.features.schema import V1, Feature, FeatureSchema
from sentiment_platform.store.articles import articles_between
from sentiment_platform.store.quarantine import quarantine_totals, quarantined_items
from sentiment_platform.store.vectors import (
    FeatureRow,
    features_as_of,
    features_between,
    write_features,
)
from sentiment_platform_tests.features.articles import DAY, NEXT, NOW, article, insert


def offline(engine: Engine, numbers: Sequence[int], at: datetime = NOW) -> dict[str, FeatureRow]:
    with engine.connect() as connection:
        return features_as_of(connection, "v1", [f"article:{n:032}" for n in numbers], at)


def test_a_thousand_vectors_are_the_same_by_sql_by_redis_and_computed_again(engine: Engine, client: Redis) -> None:
    insert(engine, [article(n, n) for n in range(1000)])
    report = run(engine, client, V1, DAY, NEXT, NOW, run_id="run")
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
    found = compare(engine, client, V1, NOW)
    # Each title is a story of its own.
    assert (found.compared, found.differences) == (2000, ())


def test_the_hour_of_an_article_whose_source_names_only_a_day_is_missing_and_its_weekday_is_known(
    engine: Engine, client: Redis
) -> None:
    insert(engine, [article(1, 0, published_text="06-Jan-25"), article(2, 0, published_text="2025-01-06T00:00:00Z")])
    run(engine, client, V1, DAY, NEXT, NOW, run_id="run")
    stored = offline(engine, (1, 2))
    hour, weekday = V1.names.index("hour_utc"), V1.names.index("weekday")
    values = [stored[f"article:{number:032}"].values for number in (1, 2)]
    assert [(one[hour], one[weekday]) for one in values] == [(None, 0.0), (0.0, 0.0)]


def test_the_same_pass_twice_changes_no_row_and_has_the_same_digest(engine: Engine, client: Redis) -> None:
    insert(engine, [article(n, n) for n in range(20)])
    first = run(engine, client, V1, DAY, NEXT, NOW, run_id="run")
    with engine.connect() as connection:
        before = connection.execute(text("SELECT xmin, ctid FROM platform.processed_features ORDER BY entity")).all()
    second = run(engine, client, V1, DAY, NEXT, NOW + timedelta(hours=1), run_id="run")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT xmin, ctid FROM platform.processed_features ORDER BY entity")).all() == before
    assert second == first
    insert(engine, [article(20, 20)])
    assert run(engine, client, V1, DAY, NEXT, NOW, run_id="run").digest != first.digest


def test_articles_of_later_days_leave_stored_vectors_alone(engine: Engine, client: Redis) -> None:
    insert(engine, [article(n, n, tickers=("EXM",), outlet="A") for n in range(10)])
    run(engine, client, V1, DAY, NEXT, NOW, run_id="run")
    before = offline(engine, range(10))
    insert(engine, [article(n, 1440 + n, tickers=("EXM",), outlet="A") for n in range(10, 20)])
    run(engine, client, V1, DAY, NEXT + timedelta(days=1), NOW, run_id="run")
    after = offline(engine, range(20), NOW + timedelta(days=1))
    assert {entity: after[entity] for entity in before} == before
    # The trial could have failed: the later ones do count the earlier ones.
    assert after[f"article:{19:032}"].values[V1.names.index("source_articles_7d")] == 19.0


def test_an_article_that_came_late_sees_what_had_come_before_it_although_that_is_of_the_next_day(
    engine: Engine, client: Redis
) -> None:
    late = article(1, 1430, late_minutes=30, tickers=("EXM",))
    insert(engine, [late, article(2, 1445, tickers=("EXM",)), article(3, 1465, tickers=("EXM",))])
    report = run(engine, client, V1, DAY, NEXT, NOW, run_id="run")
    assert report.articles == 1
    assert offline(engine, [1])[f"article:{1:032}"].values[V1.names.index("ticker_articles_1d")] == 1.0


def test_a_vector_is_not_known_before_its_time(engine: Engine, client: Redis) -> None:
    insert(engine, [article(1, 60)])
    run(engine, client, V1, DAY, NEXT, NOW, run_id="run")
    known_at = DAY + timedelta(minutes=60)
    assert offline(engine, [1], known_at - timedelta(microseconds=1)) == {}
    assert list(offline(engine, [1], known_at)) == [f"article:{1:032}"]


def test_the_join_takes_the_newest_row_of_each_entity_that_is_not_in_the_future(engine: Engine) -> None:
    moments = [DAY + timedelta(hours=h) for h in range(3)]
    rows = [
        FeatureRow(entity=entity, schema_version="v1", as_of=at, article_id=None, values=(float(n), None))
        for entity in "ab"
        for n, at in enumerate(moments)
    ]
    with engine.begin() as connection:
        write_features(
            connection, [*rows, FeatureRow(entity="a", schema_version="v2", as_of=moments[1], article_id=None, values=(9.0,))]
        )
        found = features_as_of(connection, "v1", ["a", "b", "c"], moments[1])
        assert [(row.entity, row.values, row.as_of) for row in found.values()] == [
            ("a", (1.0, None), moments[1]),
            ("b", (1.0, None), moments[1]),
        ]
        assert features_as_of(connection, "v2", ["a"], moments[1])["a"].values == (9.0,)


def test_a_corrected_vector_replaces_its_row_and_says_when(engine: Engine) -> None:
    row = FeatureRow(entity="a", schema_version="v1", as_of=DAY, article_id=None, values=(1.0, None))
    with engine.begin() as connection:
        write_features(connection, [row])
    with engine.connect() as connection:
        first = connection.execute(text("SELECT computed_at FROM platform.processed_features")).scalar_one()
    with engine.begin() as connection:
        write_features(connection, [FeatureRow(entity="a", schema_version="v1", as_of=DAY, article_id=None, values=(1.0, 2.0))])
        values, computed_at = connection.execute(text("SELECT values, computed_at FROM platform.processed_features")).one()
    assert values == [1.0, 2.0]
    assert computed_at > first


def test_without_redis_the_vectors_are_in_postgresql_and_the_next_pass_brings_redis_up(engine: Engine, client: Redis) -> None:
    insert(engine, [article(n, n) for n in range(30)])
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = connect(f"redis://127.0.0.1:{closed.getsockname()[1]}/0")
        with pytest.raises(RedisConnectionError):
            run(engine, dead, V1, DAY, NEXT, NOW, run_id="run")
        dead.close()
    assert len(offline(engine, range(30))) == 30
    assert client.dbsize() == 0
    run(engine, client, V1, DAY, NEXT, NOW, run_id="run")
    assert compare(engine, client, V1, NOW).differences == ()


def test_requests_find_how_widely_a_story_runs_and_how_busy_ticker_and_outlet_are(engine: Engine, client: Redis) -> None:
    title = "Regulator opens an inquiry"
    batch = [article(n, n, title=title, tickers=("EXM",)) for n in range(3)]
    insert(engine, batch, one_story=True)
    run(engine, client, V1, DAY, NEXT, NOW, run_id="run")
    now = DAY + timedelta(hours=2)
    assert refresh_context(engine, client, V1, now) == 4
    entities = [story_entity(f" {title.upper()}! "), "ticker:EXM", "source:outlet 1"]
    values = [value.values for value in read(client, "v1", entities, now)]
    assert values == [{"story_outlets": 3.0}, {"ticker_articles_1d": 3.0}, {"source_articles_7d": 1.0}]


def test_a_vector_out_of_range_is_in_quarantine_and_nowhere_else_and_the_others_are_written(
    engine: Engine, client: Redis
) -> None:
    insert(engine, [article(1, 1), article(2, 2, title="Up"), article(3, 3, title="Down")])
    narrow = FeatureSchema(
        "v1", (Feature(name="word_count", group="lexical", low=0, high=3, nullable=False, doc="Words."), *V1.features[1:])
    )
    for _ in range(2):
        report = run(engine, client, narrow, DAY, NEXT, NOW, run_id="run")
        assert (report.articles, report.refused, report.online_written) == (3, 1, 2)
    assert set(offline(engine, [1, 2, 3])) == {f"article:{2:032}", f"article:{3:032}"}
    assert [value.status for value in read(client, "v1", [f"article:{n:032}" for n in (1, 2)], NOW)] == ["MISSING", "PRESENT"]
    with engine.connect() as connection:
        (kept,) = quarantined_items(connection)
    assert (kept.boundary, kept.source, kept.rule, kept.run_id) == ("features", "wire", "word_count_is_in_range", "run")
    assert kept.payload["entity"] == f"article:{1:032}"
    assert "word_count is 9.0, not in [0, 3]" in kept.detail
    # After the fix the vector is written, and nothing waits any more; what was refused stays on record.
    assert run(engine, client, V1, DAY, NEXT, NOW, run_id="fixed").refused == 0
    with engine.connect() as connection:
        assert quarantined_items(connection) == []
        assert [(count.waiting, count.released) for count in quarantine_totals(connection)] == [(0, 1)]


def test_a_range_of_days_in_pieces_gives_the_same_vectors_as_day_by_day(engine: Engine, client: Redis) -> None:
    days = [article(n, n * 60, outlet="A", tickers=("EXM",)) for n in range(24 * 20)]
    insert(engine, days, one_story=True)
    end = DAY + timedelta(days=20)

    def rows() -> list[tuple[object, ...]]:
        with engine.connect() as connection:
            return [
                tuple(r) for r in connection.execute(text("SELECT entity, values, revision FROM platform.processed_features"))
            ]

    for day in range(20):
        run(engine, client, V1, DAY + timedelta(days=day), DAY + timedelta(days=day + 1), end, run_id="run")
    apart = rows()
    run(engine, client, V1, DAY, end, end, run_id="run")
    assert rows() == apart
    assert len(apart) == 480
    # What is older than a week is read offline only.
    online = read(client, "v1", [f"article:{n:032}" for n in range(480)], end)
    assert [value.status for value in online] == ["MISSING"] * (24 * 13) + ["PRESENT"] * (24 * 7)


def test_context_is_in_postgresql_once_for_each_change_and_redis_never_says_anything_newer(engine: Engine, client: Redis) -> None:
    insert(engine, [article(1, 0, tickers=("EXM",), outlet="A"), article(2, 60, tickers=("EXM",), outlet="A")])
    times = [DAY + timedelta(minutes=m) for m in (30, 45, 90, 105, 24 * 60 + 30, 24 * 60 + 90)]
    for now in times:
        refresh_context(engine, client, V1, now)
    with engine.connect() as connection:
        rows = features_between(connection, "v1", ["ticker:EXM"], DAY, times[-1])
    position = V1.names.index("ticker_articles_1d")
    assert [(row.as_of, row.values[position]) for row in rows] == [
        (times[0], 1.0),
        (times[2], 2.0),
        (times[4], 1.0),
        (times[5], 0.0),
    ]
    (online,) = read(client, "v1", ["ticker:EXM"], times[-1])
    assert (online.as_of, online.values) == (times[-1], {"ticker_articles_1d": 0.0})
