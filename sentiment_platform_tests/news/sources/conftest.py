"""How the tests of sources collect: a catalogue of their own over a scripted server, with a client that does not wait."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from sentiment_platform.fetching.http import FetchLimits, user_agent
from sentiment_platform.fetching.politeness import PoliteClient, Retries
from sentiment_platform.news.collect.turn import Collection, collect_live, collect_past
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform.news.sources.configured import configured_sources
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.settings import Settings
from sentiment_platform.store.articles import Article, articles_between
from sentiment_platform.store.collection_reports import CollectionReport
from sentiment_platform.store.sources import SourceState, read_source_state

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
EPOCH, FOREVER = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class Collector:
    """Collects from the sources of one catalogue file (`write`), named ones first if `chosen` says so."""

    engine: Engine
    file: Path
    parser: FeedParser
    environ: dict[str, str] = field(default_factory=dict)
    contact: str = "ops@example.org"
    attempts: int = 1

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def __call__(self, now: datetime = NOW, past: Window | None = None, run_id: str = "run") -> list[CollectionReport]:
        settings = Settings.from_environment(
            {
                "SENTIMENT_SOURCES": str(self.file),
                "SENTIMENT_CONTACT": self.contact,
                "SENTIMENT_STATE_DIR": str(self.file.parent / "state"),
            }
        )
        limits = FetchLimits(allow_private_hosts=True, read_s=2.0)
        client = PoliteClient(agent=user_agent(self.contact), limits=limits, retries=Retries(self.attempts), sleep=lambda _: None)
        collection = Collection(self.engine, client, self.parser, run_id, now)
        sources = configured_sources(settings, self.environ)
        reports = collect_past(collection, sources, past) if past else collect_live(collection, sources)
        assert all(report.adds_up for report in reports)
        return reports

    def articles(self) -> list[Article]:
        with self.engine.connect() as connection:
            return articles_between(connection, EPOCH, FOREVER)

    def state(self, name: str) -> SourceState:
        with self.engine.connect() as connection:
            return read_source_state(connection, name)


@pytest.fixture(scope="session")
def parser() -> Iterator[FeedParser]:
    with FeedParser(parse_s=60.0) as parser:
        yield parser


@pytest.fixture
def collector(engine: Engine, tmp_path: Path, parser: FeedParser) -> Callable[..., list[CollectionReport]]:
    return Collector(engine, tmp_path / "sources.toml", parser)
