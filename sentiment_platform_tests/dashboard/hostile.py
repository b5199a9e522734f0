"""A platform in whose every text that comes from outside somebody wrote what breaks pages: markup, turned lines, unseen characters, walls of letters."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import dagster as dg
import msgspec
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.registry.manifest import Manifest, Metric
from sentiment_platform.run_tags import REASON, TRIGGER
from sentiment_platform.settings import Settings
from sentiment_platform.store.collection_reports import CollectionReport, record_collection
from sentiment_platform.store.dagster_storage import create_dagster_schema, dagster_storage_url
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.incidents import Incident, open_incident
from sentiment_platform.store.label_sets import LabelSet, ensure_label_set
from sentiment_platform.store.quarantine import insert_quarantine, refused_row
from sentiment_platform.store.selections import RequestedSelection, refuse_selection_request, request_selection
from sentiment_platform.store.sources import SourceState, write_source_state
from sentiment_platform.text.normalise import normalise
from sentiment_platform_tests.features.articles import article, insert
from sentiment_platform_tests.monitoring.seeding import features, probabilities, seed_decision, seed_feedback, seed_predictions
from sentiment_platform_tests.registry.examples import deployment_of
from sentiment_platform_tests.sentiment.scores import score, store_scores
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.versions import mirror

VERSION = "v1.0.0-vader"
MARKUP = "<img src=x onerror='window.ran=1'><script>window.ran=1</script></td></title><b>"
UNSEEN = {"\u202e": "[U+202E]", "\u2066": "[U+2066]", "\u200b": "[U+200B]", "\x01": "[U+0001]"}
LONG = 5_000


def words(of: str, length: int = 0) -> str:
    """What somebody wrote as the `of` of something; `length`: the letters of one word at its end."""
    return f"{of} {MARKUP} {{{{7*7}}}} \u202edesrever \u2066end a\u200bb \x01 {of[0] * length}".rstrip()


def shown(written: str) -> str:
    """How the pages write it, as the title says of any of them."""
    for unseen, code in UNSEEN.items():
        written = written.replace(unseen, code)
    return written


@contextmanager
def planted(settings: Settings, folder: Path) -> Iterator[list[str]]:
    """Fills database and registry; what was planted and a page must show, as it must be shown."""
    engine = create_platform_engine(settings.require("database_url"))
    publisher = Publisher(settings, engine)
    try:
        yield [
            *_news(engine),
            *_collection(engine),
            *_versions(publisher, engine),
            *_people(engine),
            *_monitoring(engine),
            *_runs(settings, folder),
        ]
    finally:
        publisher.close()
        engine.dispose()


def _news(engine: Engine) -> list[str]:
    now = utc_now()
    title, outlet, symbol = words("Headline", LONG), words("Outlet", 300), words("Symbol", 40)
    for number in range(2):
        at = now - timedelta(hours=number + 1)
        changes = {
            "title": title,
            "outlet": outlet,
            "tickers": (symbol,),
            "published_at": at,
            "fetched_at": at,
            "available_at": at,
        }
        one = article(number, 0, **changes)
        insert(engine, [one])
        store_scores(engine, score(one, (0.1, 0.2, 0.7)))
    # A headline has nothing unseen any more when the API answers it.
    return [normalise(title), normalise(outlet), shown(symbol)]


def _collection(engine: Engine) -> list[str]:
    now = utc_now()
    source, failure, rule, name, licence = (
        words("Feed", 60),
        words("Failure", LONG),
        words("Rule", 400),
        words("Set", 60),
        words("Licence", 600),
    )
    state = SourceState(source=source, last_success_at=now, last_failure_at=now, last_failure=failure, consecutive_failures=3)
    turn = CollectionReport(
        source=source,
        run_id="run",
        fetched=2,
        stored=1,
        duplicate=0,
        quarantined=1,
        outcome="collected",
        detail=None,
        finished_at=now,
    )
    with engine.begin() as connection:
        write_source_state(connection, state)
        record_collection(connection, turn)
        row = refused_row("raw_news", source, {"title": "x"}, rule=rule, detail="why", run_id="run", now=now)
        insert_quarantine(connection, [row])
        ensure_label_set(connection, LabelSet(name, "human", licence, None))
    return [shown(text) for text in (source, failure, rule, name, licence)]


def _versions(publisher: Publisher, engine: Engine) -> list[str]:
    base, licence, dataset = words("Base"), words("Terms"), words("Holdout")
    warning, reason, actor, verdict = words("Warning", 900), words("Reason", 3_500), words("Actor"), words("Verdict", 3_500)

    def change(manifest: Manifest) -> Manifest:
        metrics = {"macro_f1": Metric(value=0.9, low=0.8, high=1.0, n=40, dataset=dataset)}
        return msgspec.structs.replace(
            manifest, base_model=base, licences=(licence,), metrics=metrics, figures={"warning": warning}
        )

    manifest = publisher.model(VERSION, change=change)
    document = deployment_of(manifest, reason=reason, actor=actor)
    document = msgspec.structs.replace(document, evidence=msgspec.structs.replace(document.evidence, verdict=verdict))
    publisher.registry.publish_deployment(document, publisher.keys, fence=lambda: None)
    mirror(engine, document, document.created_at)
    return [shown(text) for text in (base, licence, dataset, warning, reason, actor, verdict)]


def _people(engine: Engine) -> list[str]:
    actor, reason, refusal = words("Person", 80), words("Wish", 1_000), words("Refusal", LONG)
    with engine.begin() as connection:
        asked = RequestedSelection(
            request_id="asked", family="vader", version=VERSION, actor=actor, reason=reason, requested_at=utc_now()
        )
        request_selection(connection, asked)
        assert refuse_selection_request(connection, "asked", refusal)
    (answer,) = seed_predictions(engine, features(1, 1), probabilities(1, 2), until=utc_now())
    seed_feedback(engine, answer, label="positive", comment=words("Comment", 1_900))
    return [shown(text) for text in (actor, reason, refusal)]


def _monitoring(engine: Engine) -> list[str]:
    now = utc_now()
    check, summary, figure = words("check", 80), words("Summary", LONG), words("Figure", LONG)
    decision = words("Decision", LONG)
    with engine.begin() as connection:
        incident = Incident(
            fingerprint="one", category="system", severity="critical", source=check, summary=summary, detail={"said": figure}
        )
        open_incident(connection, incident, now)
    seed_decision(engine, decision, now)
    return [shown(text) for text in (check, summary, figure, f"because of {decision}.")]


def _runs(settings: Settings, folder: Path) -> list[str]:
    reason, schedule = words("Cause", LONG), words("Schedule", 80)
    create_dagster_schema(settings.database_url)
    storage = f"storage: {{postgres: {{postgres_url: '{dagster_storage_url(settings.database_url)}'}}}}\ntelemetry: {{enabled: false}}\n"
    (folder / "dagster.yaml").write_text(storage)
    tags = {TRIGGER: "weekly", REASON: reason, "dagster/schedule_name": schedule}
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        instance.run_storage.add_run(dg.DagsterRun(job_name="train_job", tags=tags, status=dg.DagsterRunStatus.FAILURE))
    return [shown(text) for text in (reason, schedule)]
