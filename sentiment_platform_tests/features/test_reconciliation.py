from datetime import timedelta

from redis import Redis
from sqlalchemy import Engine, text

from sentiment_platform.entities import feature_key, story_entity
from sentiment_platform.features.freshness import TTL_S
from sentiment_platform.features.online import OnlineRow, encode, read, write
from sentiment_platform.features.pipeline import refresh_context, run
from sentiment_platform.features.reconciliation import KEEP_CONTEXT, Fault, compare, reconcile
from sentiment_platform.features.schema import V1
from sentiment_platform_tests.features.articles import DAY, NEXT, NOW, article, insert


def filled(engine: Engine, client: Redis, articles: int = 6) -> None:
    insert(engine, [article(n, n) for n in range(articles)])
    run(engine, client, V1, DAY, NEXT, NOW, run_id="run")
    refresh_context(engine, client, V1, NOW)


def faults(engine: Engine, client: Redis) -> dict[str, Fault]:
    return {d.entity: d.fault for d in compare(engine, client, V1, NOW).differences}


def test_what_is_missing_older_newer_different_or_garbage_is_found_by_name_and_written_again(
    engine: Engine, client: Redis
) -> None:
    filled(engine, client)
    assert faults(engine, client) == {}
    names = [f"article:{n:032}" for n in range(6)]
    whole = {name: read(client, "v1", [name], NOW)[0] for name in [*names, "ticker:T1"]}
    values = dict(whole[names[0]].values or {})
    client.delete(feature_key("v1", names[0]))
    client.set(feature_key("v1", names[1]), encode("v1", values, DAY - timedelta(days=1), NOW))
    client.set(feature_key("v1", names[2]), encode("v1", values, NOW + timedelta(hours=1), NOW))
    client.set(feature_key("v1", names[3]), encode("v1", {**values, "word_count": 99.0}, DAY + timedelta(minutes=3), NOW, 7))
    client.set(feature_key("v1", names[4]), b"\xff garbage")
    client.delete(feature_key("v1", names[5]), feature_key("v1", "ticker:T1"))
    client.rpush(feature_key("v1", names[5]), "a list")
    expected = {names[0]: "missing", names[1]: "older", names[2]: "newer", names[3]: "different"}
    assert faults(engine, client) == expected | {names[4]: "missing", names[5]: "missing", "ticker:T1": "missing"}

    done = reconcile(engine, client, V1, NOW)
    assert (len(done.before_repair.differences), done.after_repair.differences) == (7, ())
    assert {name: read(client, "v1", [name], NOW)[0] for name in whole} == whole
    assert reconcile(engine, client, V1, NOW).before_repair.differences == ()


def test_what_postgresql_never_knew_is_removed_and_what_it_knew_long_ago_stays(engine: Engine, client: Redis) -> None:
    filled(engine, client)
    write(client, "v1", [OnlineRow("article:nobody", {"word_count": 1.0}, NOW), OnlineRow("ticker:NONE", {}, NOW)], NOW)
    later = NOW + timedelta(hours=12)
    with engine.begin() as connection:
        connection.execute(text("UPDATE platform.processed_features SET computed_at = computed_at - interval '2 days'"))
    found = compare(engine, client, V1, later)
    assert {d.entity: d.fault for d in found.differences} == {"article:nobody": "newer", "ticker:NONE": "newer"}
    reconcile(engine, client, V1, later)
    assert read(client, "v1", ["article:nobody", f"article:{1:032}"], NOW)[0].status == "MISSING"
    assert client.exists(feature_key("v1", f"article:{1:032}"))


def test_a_repaired_value_lives_no_longer_than_the_lost_one_would_have(engine: Engine, client: Redis) -> None:
    filled(engine, client)
    client.flushall()
    later = NOW + timedelta(hours=20)
    assert reconcile(engine, client, V1, later).after_repair.differences == ()
    name = f"article:{1:032}"
    assert abs(client.ttl(feature_key("v1", name)) - 4 * 3600) <= 1
    expired = NOW + timedelta(seconds=TTL_S + 1)
    assert [read(client, "v1", [name], at)[0].status for at in (later, expired)] == ["PRESENT", "STALE"]
    client.flushall()
    # Beyond its life nothing is owed any more.
    assert reconcile(engine, client, V1, expired).before_repair.compared == 0
    assert client.dbsize() == 0


def test_superseded_context_is_forgotten_and_the_newest_is_kept(engine: Engine, client: Redis) -> None:
    insert(engine, [article(1, 0), article(2, 30, tickers=("T1",), outlet="Outlet 1")])
    for minutes in (15, 45):
        refresh_context(engine, client, V1, DAY + timedelta(minutes=minutes))
    done = reconcile(engine, client, V1, DAY + KEEP_CONTEXT + timedelta(days=1))
    assert done.context_rows_deleted == 2
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT entity, as_of FROM platform.processed_features ORDER BY entity")).all()
    assert [tuple(row) for row in rows] == [(name, DAY + timedelta(minutes=45)) for name in ("source:outlet 1", "ticker:T1")]


def test_a_story_is_restored_from_its_newest_article(engine: Engine, client: Redis) -> None:
    insert(engine, [article(n, n, title="Same words") for n in range(3)], one_story=True)
    run(engine, client, V1, DAY, NEXT, NOW, run_id="run")
    client.delete(feature_key("v1", story_entity("Same words")))
    assert faults(engine, client) == {story_entity("Same words"): "missing"}
    reconcile(engine, client, V1, NOW)
    assert read(client, "v1", [story_entity("Same words")], NOW)[0].values == {"story_outlets": 3.0}
