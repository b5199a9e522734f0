from typing import Any

import dagster as dg
import pytest
from redis import Redis
from sqlalchemy import Engine, text

from sentiment_platform.entities import feature_key, unknown_keys
from sentiment_platform.errors import PermanentError
from sentiment_platform.features.assets import article_features, online_features
from sentiment_platform.features.checks import offline_and_online_agree, served_vectors_can_be_computed_again
from sentiment_platform.features.compute import COMPUTE
from sentiment_platform.features.online import read
from sentiment_platform.features.schema import V1, V2, active_schemas
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.features.articles import DAY, NOW, article, insert

ASSETS = [article_features, online_features, offline_and_online_agree, served_vectors_can_be_computed_again]


def materialize(database_url: str, redis_url: str, schemas: str) -> dg.ExecuteInProcessResult:
    overrides = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "SENTIMENT_FEATURE_SCHEMAS": schemas}
    return dg.materialize(
        ASSETS,
        partition_key=f"{DAY:%Y-%m-%d}",
        resources={"platform": PlatformResource(overrides=overrides, fixed_now=NOW.isoformat())},
    )


def vectors(engine: Engine, version: str) -> dict[str, Any]:
    with engine.connect() as connection:
        query = text("SELECT entity, values, revision FROM platform.processed_features WHERE schema_version = :v")
        return {row.entity: (row.values, row.revision) for row in connection.execute(query, {"v": version})}


def test_v2_comes_beside_v1_and_v1_stays_what_it_was(engine: Engine, client: Redis, database_url: str, redis_url: str) -> None:
    insert(engine, [article(n, n) for n in range(40)])
    alone = materialize(database_url, redis_url, "v1")
    before, online = vectors(engine, "v1"), read(client, "v1", [f"article:{1:032}"], NOW)
    assert vectors(engine, "v2") == {}
    both = materialize(database_url, redis_url, "v1,v2")
    assert vectors(engine, "v1") == before
    assert read(client, "v1", [f"article:{1:032}"], NOW) == online
    second = vectors(engine, "v2")
    assert second.keys() == before.keys()
    for entity, (values, _) in second.items():
        assert values[: len(V1.names)] == before[entity][0]
        assert len(values) == len(V2.names)
    shown = {
        event.asset_key.to_user_string(): event.materialization
        for event in both.get_asset_materialization_events()
        if event.asset_key
    }
    metadata = shown["article_features"].metadata
    assert (metadata["dagster/row_count"].value, metadata["schema"].value) == (80, "v1, v2")
    assert "`source_reliability`" in str(metadata["features"].value)
    assert shown["online_features"].metadata["differences"].value == 0
    assert shown["online_features"].metadata["unknown_keys"].value == "none"
    client.set("stranger:1", "x")
    assert unknown_keys(client) == ["stranger:1"]
    for result in (alone, both):
        assert {check.check_name: check.passed for check in result.get_asset_check_evaluations()} == {
            "offline_and_online_agree": True,
            "served_vectors_can_be_computed_again": True,
        }


def test_the_same_day_again_has_the_same_data_version_and_repairs_what_is_lost(
    engine: Engine, client: Redis, database_url: str, redis_url: str
) -> None:
    insert(engine, [article(n, n) for n in range(40)])
    versions = []
    for _ in range(2):
        result = materialize(database_url, redis_url, "v1")
        events = result.get_asset_materialization_events()
        versions.append([event.materialization.tags["dagster/data_version"] for event in events if event.materialization.tags])
        client.delete(feature_key("v1", f"article:{1:032}"))
    assert versions[0] == versions[1] != []
    repaired = dg.materialize(
        [online_features],
        resources={
            "platform": PlatformResource(
                overrides={"DATABASE_URL": database_url, "REDIS_URL": redis_url}, fixed_now=NOW.isoformat()
            )
        },
    )
    (event,) = repaired.get_asset_materialization_events()
    assert (event.materialization.metadata["repaired"].value, event.materialization.metadata["differences"].value) == (1, 0)
    assert client.exists(feature_key("v1", f"article:{1:032}"))


def test_schemas_are_named_by_a_setting_and_the_one_that_training_needs_cannot_be_left_out() -> None:
    assert active_schemas("v1") == (V1,)
    assert active_schemas(" v1, v2,v1 ") == (V1, V2)
    with pytest.raises(PermanentError, match="leave out v1"):
        active_schemas("v2")
    with pytest.raises(PermanentError, match="'v9' is unknown"):
        active_schemas("v1,v9")
    assert {f"compute_{version}" for version in COMPUTE} == {schema.function.rpartition(".")[2] for schema in (V1, V2)}
