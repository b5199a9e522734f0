"""The main job on real input: archives, recorded feeds, Financial PhraseBank, both families, evidence, deployments, serving.

Needs the data that SENTIMENT_SHARED_DATA points at; nothing of it is part of the repository. README's table of figures is what
this row printed. The holdout of PhraseBank: texts whose SHA-256 bucket is divisible by 5, near-duplicates follow their first text.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from sentiment_platform.clock import utc_now
from sentiment_platform.labels.importers import phrasebank
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.local.demo.load import LightLoad
from sentiment_platform.local.processes.children import Children, wait_for
from sentiment_platform.local.processes.ports import free_port
from sentiment_platform.local.session import session
from sentiment_platform.models.family import LABELS
from sentiment_platform.news.archive import import_archive, parse_mapping
from sentiment_platform.running.headless import RunOutcome, dagster_instance, run_job
from sentiment_platform.statistics.metrics import classification_report
from sentiment_platform.store.articles import news_counts
from sentiment_platform.store.collection_reports import latest_collections
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.figures import newest_figures
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure

PARTITIONS = (("2018-03-20", "2020-07-18"), ("2025-10-02", "2025-11-16"))
SEED = 20260101


def shared_data() -> Path:
    """The folder of real data."""
    folder = Path(os.environ.get("SENTIMENT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not folder.is_dir():
        raise SystemExit(f"There is no real data at {folder}; set SENTIMENT_SHARED_DATA.")
    return folder


@TABLE.row("LOOP", "the main job on real input: PhraseBank, Reuters, seven companies, recorded feeds")
def real_input() -> Iterator[Figure]:
    data = shared_data()
    with tempfile.TemporaryDirectory(prefix="sentiment-loop-") as folder:
        os.environ |= {"SENTIMENT_STATE_DIR": folder, "TRANSFORMER_BASE": "packaged:minilm"}
        Path(folder).chmod(0o711)
        yield from _stock_vader(data)
        with session(feeds_directory=data / "feeds" / "real", log=_say) as settings, dagster_instance() as instance:
            engine = create_platform_engine(settings.database_url)
            yield from _archives(data, engine)
            today = _run(instance, "collect_job", partition=f"{utc_now():%Y-%m-%d}")
            with engine.connect() as connection:
                feeds = {report.source: report for report in latest_collections(connection)}
            refused = {source: report.detail for source, report in feeds.items() if report.outcome == "failed"}
            yield Figure(
                "recorded feeds collected live; the sitemap is refused",
                sum(report.outcome == "collected" for report in feeds.values()),
                "feeds",
                4,
                sum(report.fetched for source, report in feeds.items() if source not in ("reuters", "seven-companies")),
                at_least=True,
                explains={"refused": refused, "warnings": list(today.warnings)},
            )
            yield Figure(
                "feeds refused: the news sitemap alone", abs(list(refused) != ["bloomberg"]), "feeds wrongly", 0, len(refused)
            )
            for days in PARTITIONS:
                _run(instance, "collect_job", partition_range=days)
            import_labels(engine, phrasebank(data / "labelled" / "phrasebank" / "Sentences_50Agree.txt").examples)
            _run(instance, "baseline_job")
            with Children(settings.state_dir) as children:
                url = f"http://127.0.0.1:{free_port()}"
                port = url.rpartition(":")[2]
                serving = children.start("serving", ["python", "-m", "serving"], {"PORT": port, "SENTIMENT_POLL_S": "1"})
                wait_for(f"{url}/health", serving, 60)
                texts = ["Operating profit fell to EUR 35.4 mn", "Net sales rose", "The order is worth EUR 3 mn"]
                with LightLoad(url, texts, rate=5) as load:
                    trained = _run(instance, "train_job")
                    time.sleep(5)
            yield Figure(
                "requests that failed while the transformer was trained, deployed and swapped in",
                load.report.failures.total(),
                "requests",
                0,
                load.report.requests,
                explains={"answered_by": dict(load.report.versions), "deployment": trained.metadata["deployment"]["deployment"]},
            )
            by_finbert = sum(count for version, count in load.report.versions.items() if version.endswith("-finbert"))
            yield Figure(
                "requests answered by the transformer once it was live", by_finbert, "requests", 1, load.report.requests, True
            )
            yield from _figures(engine, trained)
            engine.dispose()


def _stock_vader(data: Path) -> Iterator[Figure]:
    examples = phrasebank(data / "labelled" / "phrasebank" / "Sentences_50Agree.txt").examples
    analyser = SentimentIntensityAnalyzer()
    compound = np.array([analyser.polarity_scores(example.text)["compound"] for example in examples])
    predicted = np.where(compound >= 0.05, 2, np.where(compound <= -0.05, 0, 1))
    report = classification_report(np.array([LABELS.index(e.label) for e in examples]), np.eye(3)[predicted], seed=SEED)
    for name, estimate, centre in (("accuracy", report.accuracy, 0.54), ("macro-F1", report.macro_f1, 0.50)):
        explains = {
            "measured": estimate.value,
            "interval": [estimate.low, estimate.high],
            "published": centre,
            "data": "PhraseBank 50Agree, all rows",
        }
        yield Figure(
            f"stock VADER {name}: distance to {centre}", abs(estimate.value - centre), "", 0.02, report.n, explains=explains
        )


def _archives(data: Path, engine) -> Iterator[Figure]:  # type: ignore[no-untyped-def]
    started = time.monotonic()
    reports = []
    reuters = data / "dated" / "reuters" / "reuters_headlines.csv"
    reports.append(
        import_archive(
            reuters, parse_mapping("published_at=0,title=1"), source="reuters", engine=engine, run_id="loop", now=utc_now()
        )
    )
    columns = parse_mapping("title=title,published_at=date,summary=text,url=news_url,outlet=source_name,tickers=tickers")
    paths = sorted((data / "dated" / "mag7" / "training_news").glob("*.csv"))
    reports += [
        import_archive(path, columns, source="seven-companies", engine=engine, run_id="loop", now=utc_now()) for path in paths
    ]
    fetched = sum(report.fetched for report in reports)
    seconds = time.monotonic() - started
    unaccounted = fetched - sum(report.stored + report.duplicate + report.quarantined for report in reports)
    with engine.connect() as connection:
        counts = news_counts(connection)
    yield Figure(
        "archived rows that are neither stored, duplicate nor quarantined",
        unaccounted,
        "rows",
        0,
        fetched,
        explains={"articles": counts.articles, "quarantined": counts.quarantined, "rows_per_s": round(fetched / seconds)},
    )


def _figures(engine, trained: RunOutcome) -> Iterator[Figure]:  # type: ignore[no-untyped-def]
    with engine.connect() as connection:
        stored = {(row.version, row.metric): row for row in newest_figures(connection) if row.window.startswith("holdout")}
    for asset, target in (("vader_model", 0.0), ("finbert_model", 0.75)):
        version = trained.metadata[asset]["version"]
        for metric in ("accuracy", "macro_f1", "ece"):
            measured = stored[version, metric]
            explains = {"interval": [measured.low, measured.high], "data": "PhraseBank 50Agree, test part", "seeds": 1}
            bound = target if metric == "macro_f1" else 1.0 if metric == "ece" else 0.0
            yield Figure(
                f"{version} {metric}", measured.value, "", bound, measured.n, at_least=metric != "ece", explains=explains
            )
    verdict = trained.metadata["ab_evaluation"]["verdict"]
    _say(str(verdict))


def _run(instance, job: str, **more) -> RunOutcome:  # type: ignore[no-untyped-def]
    started = time.monotonic()
    outcome = run_job(instance, job, log_level="ERROR", **more)
    _say(f"{job} {more or ''}: {time.monotonic() - started:.0f} s, warnings {list(outcome.warnings)}")
    if not outcome.success:
        raise SystemExit(f"{job} failed: {outcome.failures}")
    return outcome


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
