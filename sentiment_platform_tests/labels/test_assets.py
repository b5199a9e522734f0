from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.labels import assets
from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.store.labels import labels_digest
from sentiment_platform.store.resources import PlatformResource

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)
ONE = LabelledExample(
    label_set="mine", external_id="1", text="Sales rose", label="positive", annotator="ada", licence="CC0-1.0", published_at=NOON
)
TWO = replace(ONE, external_id="2", text="Sales fell", label="negative")


def version(engine: Engine) -> str:
    with engine.connect() as connection:
        return labels_digest(connection)


def test_the_asset_shows_its_rows_and_says_which_labels_they_are(engine: Engine, database_url: str) -> None:
    import_labels(engine, [ONE, TWO])
    platform = PlatformResource(overrides={"DATABASE_URL": database_url})
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([assets.labels], instance=instance, resources={"platform": platform})
    (materialization,) = result.asset_materializations_for_node("labels")
    assert materialization.metadata["dagster/row_count"].value == 2
    assert (materialization.tags or {})["dagster/data_version"] == version(engine)


def test_the_version_is_that_of_the_content_whenever_and_in_whatever_order_it_arrived(engine: Engine) -> None:
    nothing = version(engine)
    import_labels(engine, [ONE, TWO])
    both = version(engine)
    assert version(engine) == both != nothing
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM platform.labels"))
    assert version(engine) == nothing
    import_labels(engine, [TWO])
    one_of_them = version(engine)
    import_labels(engine, [ONE])
    assert version(engine) == both != one_of_them
    with engine.connect() as connection:
        connection.execute(text("SET TIME ZONE 'Asia/Tokyo'"))
        assert labels_digest(connection) == both


@pytest.mark.parametrize(
    "change",
    [{"label": "neutral"}, {"text": "Sales soared"}, {"weight": 2.0}, {"published_at": None}],
    ids=lambda change: next(iter(change)),
)
def test_a_correction_is_another_version(engine: Engine, change: dict[str, object]) -> None:
    import_labels(engine, [ONE, TWO])
    before = version(engine)
    import_labels(engine, [replace(ONE, **change)])  # type: ignore[arg-type]
    assert version(engine) != before
