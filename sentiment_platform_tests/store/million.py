"""A database as large as it gets: so many rows in each table that grows, made by the database itself, and its hot queries.

Six months of news, predictions and what hangs on them. Indexes and keys are made after the rows, as `pg_restore` does: twice as fast.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from sentiment_platform.features.context import ArticleHistory
from sentiment_platform.features.freshness import TTL_S
from sentiment_platform.features.pipeline import ONLINE_DAYS
from sentiment_platform.features.rolling import RollingHistory
from sentiment_platform.news.late import REMEMBERED
from sentiment_platform.news.profiles import HISTORY
from sentiment_platform.news.stories.linking import STORY_WINDOW
from sentiment_platform.store.articles import articles_between
from sentiment_platform.store.collection_reports import collected_days, latest_collections
from sentiment_platform.store.drift import newest_drift_rows, newest_reports
from sentiment_platform.store.feature_inputs import articles_available, refused_items, served_features
from sentiment_platform.store.late_news import waiting_days
from sentiment_platform.store.predictions import feedback_on_predictions, prediction_counts, served_predictions
from sentiment_platform.store.profiles import source_profiles
from sentiment_platform.store.quarantine import quarantine_totals, quarantined_items
from sentiment_platform.store.replicas import newest_answers
from sentiment_platform.store.service_levels import answers_of, service_periods
from sentiment_platform.store.stories import story_candidates, widest_stories
from sentiment_platform.store.training_sets import training_examples
from sentiment_platform.store.vectors import features_at, features_since

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 180
NOON = FIRST + timedelta(days=150, hours=12)
DAY = timedelta(days=1)

_AT = "timestamptz '2026-01-01 00:00Z' + n * interval '180 days' / :rows"
_FEATURES = "array_fill((n % 7)::float8, ARRAY[15])"
_ROWS = {
    "raw_data": f"""(id, source, external_id, outlet, title, tickers, published_at, fetched_at, available_at, content_hash, run_id)
        SELECT md5(n::text), 'feed ' || n % 20, n, 'outlet ' || n % 200, 'Headline number ' || n, ARRAY['T' || n % 3000],
            {_AT}, {_AT}, {_AT}, n, CASE WHEN n % 2 = 0 OR n % 500 = 1 THEN 'run ' || n / 100 ELSE 'imported ' || n / 100 END""",
    "story_clusters": """(article_id, story_id, method, similarity) SELECT md5(n::text), md5((n - n % 3)::text), 'minhash', 1""",
    "processed_features": f"""(entity, schema_version, as_of, article_id, values, computed_at)
        SELECT CASE WHEN n % 2 = 0 THEN 'article:' || md5(n::text) ELSE 'ticker:T' || n % 3000 END, 'v1', {_AT},
            CASE WHEN n % 2 = 0 THEN md5(n::text) END, {_FEATURES}, {_AT}""",
    "predictions": f"""(id, predicted_at, route, family, model_version, manifest_digest, deployment_revision, text, text_hash,
            feature_schema, features, features_hash, feature_status, probabilities, sentiment, confidence, cache_hit, degraded,
            latency_ms, instance)
        SELECT 'p' || n, {_AT}, '/predict', 'vader', 'v1.' || n % 4 || '.0-vader', 'd', 1, 'Headline number ' || n, md5(n::text),
            'v1', {_FEATURES}, 'h', 'PRESENT', ARRAY[0.2, 0.3, 0.5], 0.3, 0.5, false, false, '{{}}', 'one'""",
    "feedback": f"""(id, prediction_id, label, voice, received_at) SELECT 'f' || n, 'p' || n, 'positive', 'desk', {_AT} + interval '1 hour'""",
    "quarantine": f"""(id, boundary, source, rule, detail, payload, fetched_at, run_id, released_at)
        SELECT 'q' || n, CASE WHEN n % 1000 = 0 THEN 'articles' ELSE 'raw_news' END, 'feed ' || n % 20, 'rule', 'detail',
            '{{"title": "x"}}', {_AT}, 'run', CASE WHEN n % 250 > 0 AND n % 50 <> 5 THEN {_AT} END""",
    "collection_runs": f"""(run_id, source, fetched, stored, duplicate, quarantined, outcome, finished_at)
        SELECT 'run ' || n / 100, 'feed ' || n % 20, 1, 1, 0, 0, CASE WHEN n % 1000 = 7 THEN 'replayed' ELSE 'collected' END, {_AT}""",
    "training_examples": f"""(digest, example_id, part, text, label, label_set, story_id, available_at, features)
        SELECT 'set ' || n % 100, n, CASE WHEN n % 5 = 0 THEN 'test' ELSE 'train' END, 'Headline number ' || n, 'positive', 'made',
            n, {_AT}, {_FEATURES}""",
    "drift_metrics": f"""(report_id, subject, test, window_start, window_end, reference, n_reference, n_current, threshold, drifted,
            created_at)
        SELECT 'report ' || n / 20, CASE n % 20 WHEN 0 THEN 'predicted_label' ELSE 'feature ' || n % 20 END,
            CASE n % 20 WHEN 0 THEN 'psi' ELSE 'ks' END, {_AT}, {_AT}, 'v1.' || n / 20 % 4 || '.0-vader:earlier', 1, 1, 0.1, false,
            {_AT}""",
}
_BEFORE = "INSERT INTO platform.training_sets (digest, feature_schema, summary) SELECT 'set ' || n, 'v1', '{}' FROM generate_series(0, 101) AS n"

_TODAY = FIRST + (DAYS - 1) * DAY
_NOW = FIRST + DAYS * DAY

HOT: dict[str, Callable[[Connection], Any]] = {
    "features as of a moment, 100 entities": lambda c: features_at(c, "v1", [(f"ticker:T{n}", NOON) for n in range(1, 200, 2)]),
    "articles of a day": lambda c: articles_between(c, NOON, NOON + DAY),
    "labels of a training set": lambda c: training_examples(c, "set 50", "test"),
    "predictions by model, an hour": lambda c: prediction_counts(c, NOON, NOON + timedelta(hours=1)),
    "predictions served, newest 1,000": lambda c: served_predictions(c, "v1", NOON - DAY, NOON, 1000),
    "service of a day, by hour": lambda c: service_periods(c, NOON - DAY, NOON, "hour", 200),
    "who answered in an hour": lambda c: answers_of(c, NOON, NOON + timedelta(hours=1)),
    "collections of some sources, a week by day": lambda c: collected_days(c, ["feed 3", "feed 5"], _NOW - 7 * DAY),
    "predictions to replay": lambda c: served_features(c, NOON - DAY, NOON, 200),
    "feedback beside its prediction, a day": lambda c: feedback_on_predictions(c, NOON, NOON + DAY),
    "quarantine of a source": lambda c: quarantined_items(c, source="feed 5"),
    "quarantine in numbers": lambda c: list(quarantine_totals(c)),
    "items refused in a day": lambda c: refused_items(c, NOON, NOON + DAY),
    "latest collection of each source": latest_collections,
    "days that wait for vectors": lambda c: waiting_days(c, since=_NOW - REMEMBERED, before=_TODAY),
    "stories of a day, the widest": lambda c: widest_stories(c, NOON, NOON + DAY, 10)[1],
    "drift reports over time": lambda c: newest_reports(c, "v1.2.0-vader", 30),
    "what each replica answered last": lambda c: newest_answers(c, _NOW - timedelta(minutes=10)),
    "latest drift report": lambda c: newest_drift_rows(c, "v1.2.0-vader"),
}
"""What runs in every collection, every hour, or for a person who waits; name -> the function of `store` that asks it."""
WINDOWS: dict[str, Callable[[Connection], Any]] = {
    "vectors that should be online": lambda c: features_since(c, "v1", _NOW - ONLINE_DAYS, _NOW - timedelta(seconds=TTL_S)),
    "articles behind the context of a day, v1": lambda c: articles_available(c, _TODAY - ArticleHistory.lookback, _NOW),
    "articles behind the context of a day, v2": lambda c: articles_available(c, _TODAY - RollingHistory.lookback, _NOW),
    "articles around a day, for its stories": lambda c: story_candidates(c, NOON - STORY_WINDOW, NOON + DAY + STORY_WINDOW),
    "profiles of the sources of a day and before": lambda c: source_profiles(c, _TODAY - HISTORY, _NOW),
}
"""The same, where what is asked for is itself a week or a month of rows: their time grows with the answer, whatever the index."""


@dataclass(frozen=True)
class Plan:
    """How PostgreSQL answered one of the hot queries: tables read from end to end, indexes used, time in the database."""

    scanned: tuple[str, ...]
    indexes: tuple[str, ...]
    execution_ms: float
    rows: int


def fill(engine: Engine, rows: int) -> None:
    """`rows` rows into each table of `_ROWS`, with all keys and indexes of the schema."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        connection.execute(text(_BEFORE))
        again = [statement for table in _ROWS for statement in _take_down(connection, table)]
        for table, columns in _ROWS.items():
            statement = f"INSERT INTO platform.{table} {columns} FROM generate_series(0, :rows - 1) AS n"
            connection.execute(text(statement), {"rows": rows})
        # Keys before the references to them.
        for statement in sorted(again, key=lambda statement: "FOREIGN KEY" in statement):
            connection.exec_driver_sql(statement)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        for table in _ROWS:
            connection.exec_driver_sql(f"ANALYZE platform.{table}")


def _take_down(connection: Connection, table: str) -> list[str]:
    """Drop the constraints and indexes of a table; returns the statements that make them again."""
    keys = connection.execute(
        text(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(:t) AND contype IN ('p', 'u', 'f') ORDER BY contype = 'p'"
        ),
        {"t": f"platform.{table}"},
    ).all()
    for name, _ in keys:
        connection.exec_driver_sql(f"ALTER TABLE platform.{table} DROP CONSTRAINT {name} CASCADE")
    indexes = connection.execute(
        text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'platform' AND tablename = :t"), {"t": table}
    ).all()
    for name, _ in indexes:
        connection.exec_driver_sql(f"DROP INDEX platform.{name}")
    return [f"ALTER TABLE platform.{table} ADD CONSTRAINT {name} {made}" for name, made in keys] + [made for _, made in indexes]


def explain(engine: Engine, ask: Callable[[Connection], Any]) -> Plan:
    """Ask, and have every statement that this sends explained with the same parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", note)
        found = ask(connection)
        event.remove(connection, "before_cursor_execute", note)
        assert found, "a query that finds nothing proves nothing"
        nodes: list[Mapping[str, Any]] = []
        execution_ms = 0.0
        for statement, parameters in sent:
            answer = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
            (document,) = json.loads(answer) if isinstance(answer, str) else answer
            nodes += _nodes(document["Plan"])
            execution_ms += document["Planning Time"] + document["Execution Time"]
    return Plan(
        tuple(node["Relation Name"] for node in nodes if node["Node Type"] in ("Seq Scan", "Sample Scan")),
        tuple(sorted({node["Index Name"] for node in nodes if "Index Name" in node})),
        execution_ms,
        len(found),
    )


def _nodes(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", ()) for node in _nodes(part))]
