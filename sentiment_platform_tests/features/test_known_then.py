"""What was served stays what was served: an archive that comes later changes no context of a day that was live."""

from datetime import datetime, timedelta

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from sentiment_platform.features.pipeline import compute_rows, load_history, run
from sentiment_platform.features.schema import V1, V2, FeatureSchema
from sentiment_platform.store.articles import NewArticle, articles_between
from sentiment_platform.store.vectors import FeatureRow, features_as_known, features_as_of
from sentiment_platform_tests.features.articles import DAY, NEXT, article, insert

LATER = DAY + timedelta(days=10)
NOON = DAY + timedelta(hours=12)
SERVED_AT = NOON + timedelta(minutes=3)
LIVE = article(1, 720, tickers=("KILN",), outlet="Harbour Post", title="Kiln maker lifts its outlook")


def archived(number: int, minutes: float, **changes: object) -> NewArticle:
    """Came with an archive ten days later; counts as available since its publication."""
    return article(number, minutes, fetched_at=LATER, **{"tickers": ("KILN",), "outlet": "Harbour Post", **changes})


def stored(engine: Engine, schema: FeatureSchema, at: datetime = LATER) -> dict[str, FeatureRow]:
    with engine.connect() as connection:
        entities = [f"article:{a.id}" for a in articles_between(connection, DAY, NEXT)]
        return features_as_of(connection, schema.version, entities, at)


def recounted(engine: Engine, schema: FeatureSchema) -> dict[str, FeatureRow]:
    """The vectors of the day as a machine that saw it only now would count them: the control."""
    with engine.connect() as connection:
        ours = articles_between(connection, DAY, NEXT)
        return {row.entity: row for row in compute_rows(ours, load_history(connection, schema, DAY, NEXT), schema)}


def of(row: FeatureRow, schema: FeatureSchema, name: str) -> float | None:
    return row.values[schema.names.index(name)]


@pytest.mark.parametrize("schema", [V1, V2], ids=lambda schema: schema.version)
def test_the_vector_of_a_live_article_stays_and_one_that_was_backfilled_counts_the_archive(
    engine: Engine, client: Redis, schema: FeatureSchema
) -> None:
    insert(engine, [LIVE])
    run(engine, client, schema, DAY, NEXT, SERVED_AT, run_id="live")
    before = stored(engine, schema)
    insert(engine, [archived(n, 60.0 * n, title=f"Kiln maker, item {n}") for n in (2, 3, 4)])
    insert(engine, [LIVE, archived(5, 700, outlet="Second Post"), archived(6, 710, outlet="Third Post")], one_story=True)
    run(engine, client, schema, DAY, NEXT, LATER, run_id="again")
    after = stored(engine, schema)
    (live,) = before
    assert after[live] == before[live]
    counts = ("story_outlets", "ticker_articles_1d", "source_articles_7d")
    assert [of(after[live], schema, name) for name in counts] == [1.0, 0.0, 0.0]
    # Counted as of today the day looks different, for every kind of count; and the archive's own articles have it so.
    counted = recounted(engine, schema)
    assert all(of(counted[live], schema, name) != of(after[live], schema, name) for name in counts)
    assert {entity: row.values for entity, row in after.items() if entity != live} == {
        entity: row.values for entity, row in counted.items() if entity != live
    }
    assert of(after[f"article:{4:032}"], schema, "ticker_articles_1d") == 2.0


def test_of_a_thousand_articles_that_were_served_none_differs_after_an_archive_of_their_day(
    engine: Engine, client: Redis
) -> None:
    served: dict[str, tuple[float | None, ...]] = {}
    for piece in range(4):
        insert(engine, [article(n, 60 * piece + n % 60) for n in range(250 * piece, 250 * piece + 250)])
        run(engine, client, V2, DAY, NEXT, DAY + timedelta(hours=piece + 1), run_id=f"live {piece}")
        # What is read at once is what was served.
        served |= {entity: served.get(entity, row.values) for entity, row in stored(engine, V2).items()}
    late = [article(5000 + n, n / 3, fetched_at=LATER, outlet=f"Outlet {n % 7}", tickers=(f"T{n % 50}",)) for n in range(500)]
    insert(engine, late)
    run(engine, client, V2, DAY, NEXT, LATER, run_id="again")
    now, counted = stored(engine, V2), recounted(engine, V2)
    assert len(served) == 1000
    assert [entity for entity, values in served.items() if now[entity].values != values] == []
    assert sum(counted[entity].values != values for entity, values in served.items()) > 500, "the archive could have changed them"


def test_a_corrected_headline_is_a_revision_with_the_context_of_then_and_what_stood_can_be_read(
    engine: Engine, client: Redis
) -> None:
    insert(engine, [LIVE])
    run(engine, client, V1, DAY, NEXT, SERVED_AT, run_id="live")
    (entity,) = first = stored(engine, V1)
    insert(engine, [archived(2, 100)])
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE platform.raw_data SET title = 'Kiln maker CUTS its outlook by 4%' WHERE id = :id"), {"id": LIVE.id}
        )
    run(engine, client, V1, DAY, NEXT, LATER, run_id="again")
    row = stored(engine, V1)[entity]
    assert (row.revision, of(row, V1, "number_count"), of(row, V1, "source_articles_7d")) == (2, 1.0, 0.0)
    run(engine, client, V1, DAY, NEXT, LATER + timedelta(days=1), run_id="once more")
    assert stored(engine, V1)[entity] == row
    with engine.connect() as connection:
        known = {
            moment: features_as_known(connection, "v1", [entity], LATER, moment).get(entity)
            for moment in (NOON, SERVED_AT, LATER - timedelta(seconds=1), LATER)
        }
    assert known[NOON] is None
    for moment in (SERVED_AT, LATER - timedelta(seconds=1)):
        stood = known[moment]
        assert stood is not None
        assert (stood.values, stood.revision, stood.computed_at) == (first[entity].values, 1, SERVED_AT)
    newest = known[LATER]
    assert newest is not None
    assert newest.values == row.values
