"""How fast news becomes features: an archive is imported, then made into articles and features, a month of daily partitions in one
run, as `sentiment-platform run collect_job --from --to` does; and once day by day, as the days themselves come.

Needs the data that SENTIMENT_SHARED_DATA points at, and servers of its own. 100,000 headlines are made from the real ones: the same
sentences years earlier, with other names and other numbers, so that none tells the story of another.
"""

import csv
import gc
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import fmean

import psutil

from sentiment_platform.features.connection import connect
from sentiment_platform.features.pipeline import run as compute_features
from sentiment_platform.features.schema import DEFAULT_SCHEMA
from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform.news.archive import import_archive, parse_mapping
from sentiment_platform.news.articles import cluster_days
from sentiment_platform.store.articles import news_counts
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.migrate import upgrade
from sentiment_platform_tests.benchmarks.real_input import shared_data
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure

SEED = 20260101
MONTH = 30
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu")
_NAME = re.compile(r"\b[A-Z][A-Za-z]{2,}\b")

Headline = tuple[date, str]


@dataclass(frozen=True)
class Pass:
    """One pass over an archive in an empty database: seconds of each stage, resident bytes after each run, rows left."""

    articles: int
    days: int
    imported_s: float
    clustered_s: float
    featured_s: float
    resident: Sequence[int]
    stories: int
    refused: int

    @property
    def seconds(self) -> float:
        return self.imported_s + self.clustered_s + self.featured_s

    @property
    def growth(self) -> float:
        """Mean resident memory of the last third of the days, over that of the first third."""
        third = max(1, len(self.resident) // 3)
        return fmean(self.resident[-third:]) / fmean(self.resident[:third])

    def explains(self) -> dict[str, float]:
        stages = {"import_s": self.imported_s, "stories_s": self.clustered_s, "features_s": self.featured_s}
        peak = max(self.resident) / 2**20
        return {name: round(value, 2) for name, value in stages.items()} | {
            "days": self.days,
            "stories": self.stories,
            "refused": self.refused,
            "largest_after_a_run_mib": round(peak),
        }


def reuters() -> list[Headline]:
    """The Reuters headlines, oldest first."""
    with (shared_data() / "dated" / "reuters" / "reuters_headlines.csv").open(encoding="utf-8", newline="") as file:
        return sorted((date.fromisoformat(row[0]), row[1]) for row in csv.reader(file))


def generated(headlines: Sequence[Headline], wanted: int) -> list[Headline]:
    """`wanted` headlines, oldest first: the given ones, and their earlier copies with other names and numbers."""
    rng = random.Random(SEED)
    span = headlines[-1][0] - headlines[0][0] + timedelta(days=7)
    found = list(headlines)
    copy = 0
    while len(found) < wanted:
        copy += 1
        names: dict[str, str] = {}
        found += [(day - copy * span, _altered(title, names, rng)) for day, title in headlines]
    return sorted(found)[-wanted:]


def _altered(title: str, names: dict[str, str], rng: random.Random) -> str:
    def name(found: re.Match[str]) -> str:
        return names.setdefault(found[0], "".join(rng.choices(_SYLLABLES, k=4)).capitalize())

    def number(found: re.Match[str]) -> str:
        return str(rng.randrange(10 ** len(found[0]), 10 ** (len(found[0]) + 1)))

    return re.sub(r"\d+", number, _NAME.sub(name, title))


def one_pass(headlines: Sequence[Headline], folder: Path, days_a_run: int) -> Pass:
    """Import, then make articles and features of `days_a_run` daily partitions at a time, against servers of this pass alone."""
    postgres, redis = LocalPostgres(folder), LocalRedis(folder)
    archive = folder / "archive.csv"
    with archive.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((day.isoformat(), title) for day, title in headlines)
    postgres.start()
    redis.start()
    engine, client = create_platform_engine(postgres.url), connect(redis.url)
    try:
        upgrade(postgres.url)
        started = time.perf_counter()
        import_archive(archive, parse_mapping("published_at=0,title=1"), source="archive", engine=engine, run_id="bench", now=NOW)
        imported = time.perf_counter() - started
        clustered = featured = 0.0
        articles = 0
        resident: list[int] = []
        process = psutil.Process()
        days = [day for day, _ in groupby(headlines, key=lambda headline: headline[0])]
        for first in range(0, len(days), days_a_run):
            part = days[first : first + days_a_run]
            start, end = _midnight(part[0]), _midnight(part[-1]) + timedelta(days=1)
            before = time.perf_counter()
            cluster_days(engine, start, end, run_id="bench", now=NOW)
            between = time.perf_counter()
            articles += compute_features(engine, client, DEFAULT_SCHEMA, start, end, NOW, run_id="bench").articles
            clustered += between - before
            featured += time.perf_counter() - between
            resident.append(process.memory_info().rss)
        with engine.connect() as connection:
            counts = news_counts(connection)
        return Pass(articles, len(days), imported, clustered, featured, resident, counts.stories, counts.quarantined)
    finally:
        client.close()
        engine.dispose()
        redis.stop()
        postgres.stop()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def measured(headlines: Sequence[Headline], days_a_run: int = MONTH) -> Pass:
    """`one_pass` in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sentiment-collection-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        return one_pass(headlines, folder, days_a_run)


@TABLE.row("F.7", "collection to features: Reuters headlines, and 100,000 made from them, a month of daily partitions in one run")
def collection_to_features() -> Iterator[Figure]:
    headlines = reuters()
    measured(headlines[-500:])  # imports, caches and compiled expressions are no part of a rate
    real = measured(headlines)
    rate = real.articles / real.seconds
    yield Figure("Reuters headlines from archive to features", rate, "articles/s", 2_000, real.articles, True, real.explains())
    daily = measured(headlines[-10_000:], days_a_run=1)
    # Without a bound: what a run of one day costs beyond its articles is its own context of a week and its transactions.
    yield Figure(
        "the newest 10,000 of them, a run for each day",
        daily.articles / daily.seconds,
        "articles/s",
        0,
        daily.articles,
        True,
        daily.explains(),
    )
    many = generated(headlines, 100_000)
    # What the benchmark itself holds is no work of the program's garbage collector.
    gc.freeze()
    # The days of one stretch hold more news than those of another, and a pass of two seconds is at the mercy of one hiccup.
    # So both lengths are measured in turns, and the medians are compared.
    stretches: list[Pass] = []
    wholes: list[Pass] = []
    for turn in range(3):
        stretches += [measured(many[first : first + 10_000]) for first in range(10_000 * turn, 100_000, 30_000)]
        wholes.append(measured(many))
    small, large = _median(stretches), _median(wholes)
    per_story = large.articles / large.stories
    yield Figure(
        "resident memory, last third of the days over the first third",
        large.growth,
        "",
        1.1,
        large.articles,
        explains=large.explains() | {"articles_per_story": round(per_story, 3)},
    )
    repeated = sum(count - 1 for count in Counter(title for _, title in many).values())
    yield Figure(
        "time for 100,000 over time for 10,000",
        large.seconds / small.seconds,
        "",
        11,
        large.articles,
        explains=small.explains()
        | {
            "small_s": sorted(round(one.seconds, 2) for one in stretches),
            "large_s": sorted(round(one.seconds, 1) for one in wholes),
            "repeated_titles": repeated,
        },
    )


def _median(passes: Sequence[Pass]) -> Pass:
    return sorted(passes, key=lambda one: one.seconds)[len(passes) // 2]


@TABLE.row("S2.17", "10,000 articles collected, validated, de-duplicated and featurised with VADER")
def ten_thousand() -> Iterator[Figure]:
    # In a process of its own, so that the peak is that of this work and of nothing before it.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        found, peak_mib = fresh.submit(_alone).result()
    yield Figure("10,000 articles from archive to features", found.seconds, "s", 120, found.articles, explains=found.explains())
    yield Figure("peak resident memory of the process", peak_mib, "MiB", 1_000, found.articles)


def _alone() -> tuple[Pass, float]:
    found = measured(reuters()[-10_000:])
    return found, peak_mib()


def peak_mib() -> float:
    """The most memory that this process had resident at any moment of its life."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss: Linux counts into it what the parent held when it started this process.
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")) / 1024
    return getrusage(RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS
