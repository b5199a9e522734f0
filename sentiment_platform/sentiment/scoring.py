"""The articles of some days through the versions that score: read in chunks, answered in batches of similar length, stored.

Every chunk of a version is one transaction, and what is stored is not asked again: a run that was killed goes on where it stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Engine

from sentiment_platform.clock import Clock
from sentiment_platform.models.family import ProgressSink
from sentiment_platform.models.progress import ProgressMeter
from sentiment_platform.sentiment.scorers import LoadedScorer, ScoringVersion
from sentiment_platform.store.article_sentiment import (
    ArticleText,
    ScoreRow,
    articles_after,
    count_articles,
    texts_scored,
    write_scores,
)
from sentiment_platform.text.english import is_english
from sentiment_platform.text.normalise import normalise, text_hash
from sentiment_platform.text.sentiment import likeliest_label

CHUNK = 1_000
"""Articles that are read, answered and stored together: what memory holds of a range of months."""
BATCH = 64
"""Texts of one call of a model, which sees to smaller batches itself."""


@dataclass(frozen=True, slots=True)
class VersionTally:
    """What one version did: articles that it scored now, and articles that had a score that stands."""

    version: str
    scored: int
    kept: int


@dataclass(frozen=True, slots=True)
class ScoredDays:
    """What one pass did. `digest` names every article with its text and the version whose score stands.

    `unreadable` of the articles are not English that a model can read: nobody scores them, and no mean counts them.
    """

    articles: int
    tallies: tuple[VersionTally, ...]
    digest: str
    unreadable: int = 0

    @property
    def scored(self) -> int:
        """Scores that were written."""
        return sum(tally.scored for tally in self.tallies)

    def words(self) -> str:
        """What came of it, in a sentence."""
        if not self.tallies:
            return "Nothing is deployed yet, so nothing was scored. `sentiment-platform run bootstrap_job` deploys the starters."
        if not self.scored:
            return "Nothing is new: every article has its scores."
        scored = [f"{tally.version} scored {tally.scored:,} articles" for tally in self.tallies if tally.scored]
        left_out = [f"{self.unreadable:,} are not English that a model can read"] if self.unreadable else []
        return "; ".join([*scored, *left_out]) + "."


@dataclass(frozen=True, slots=True)
class _Headline:
    """A wording of an article with the text that a model reads, and the hash of that."""

    article: ArticleText
    text: str
    hash: str

    @property
    def key(self) -> tuple[str, str]:
        """Which article and which of its wordings."""
        return self.article.id, self.article.wording


def score_days(
    engine: Engine,
    scorers: Sequence[ScoringVersion],
    start: datetime,
    end: datetime,
    *,
    load: Callable[[ScoringVersion], LoadedScorer],
    now: Clock,
    progress: ProgressSink = lambda _: None,
    chunk: int = CHUNK,
) -> ScoredDays:
    """Score the articles with start <= published_at < end, and what was corrected in that time, by every one of `scorers`. Every
    wording has its score; one that stands is not made again.

    Args:
        load: called once for each version that has something to score, and not for the others.
        chunk: articles a transaction.
    """
    loaded: dict[str, LoadedScorer] = {}
    scored, kept, digest = dict.fromkeys(scorers, 0), dict.fromkeys(scorers, 0), sha256()
    with engine.connect() as connection:
        articles = count_articles(connection, start, end)
    meter = ProgressMeter(progress, "article scores", articles * len(scorers))
    unreadable = 0
    for page in _chunks(engine, start, end, chunk):
        headlines = [headline for headline in page if is_english(headline.text)]
        unreadable += _articles(page) - _articles(headlines)
        for scoring in scorers:
            standing = _standing(engine, headlines, scoring)
            waiting = [headline for headline in headlines if headline.key not in standing]
            if waiting:
                if scoring.version not in loaded:
                    loaded[scoring.version] = load(scoring)
                rows = _answered(loaded[scoring.version], scoring, waiting, now)
                with engine.begin() as connection:
                    write_scores(connection, rows)
            scored[scoring] += len(waiting)
            kept[scoring] += len(standing)
            for headline in headlines:
                version = standing.get(headline.key, scoring.version)
                digest.update(f"{headline.article.id} {headline.hash} {version}\n".encode())
            meter.advance(_articles(page), scoring.version)
    tallies = tuple(VersionTally(scoring.version, scored[scoring], kept[scoring]) for scoring in scorers)
    return ScoredDays(articles, tallies, digest.hexdigest()[:16], unreadable)


def _articles(headlines: Sequence[_Headline]) -> int:
    """How many articles begin among these wordings."""
    return sum(not headline.article.wording for headline in headlines)


def _chunks(engine: Engine, start: datetime, end: datetime, size: int) -> Iterator[list[_Headline]]:
    last: ArticleText | None = None
    while True:
        with engine.connect() as connection:
            page = articles_after(connection, start, end, last, size)
        if not page:
            return
        yield [_Headline(article, normalise(article.title), text_hash(article.title)) for article in page]
        last = page[-1]


def _standing(engine: Engine, headlines: Sequence[_Headline], scoring: ScoringVersion) -> dict[tuple[str, str], str]:
    """Article and wording -> the version whose score of this very text stands for one of `scoring`; its own score first."""
    with engine.connect() as connection:
        stored = texts_scored(connection, [headline.article.id for headline in headlines], scoring.stand_in)
    own_first = sorted(scoring.stand_in, key=lambda version: version != scoring.version)
    standing: dict[tuple[str, str], str] = {}
    for headline in headlines:
        for version in own_first:
            score = stored.get((*headline.key, version))
            same_manifest = score is not None and (version != scoring.version or score.manifest_digest == scoring.manifest_digest)
            if score is not None and same_manifest and score.text_hash == headline.hash:
                standing[headline.key] = version
                break
    return standing


def _answered(scorer: LoadedScorer, scoring: ScoringVersion, waiting: Sequence[_Headline], now: Clock) -> list[ScoreRow]:
    by_length = sorted(waiting, key=lambda headline: len(headline.text))
    rows: list[ScoreRow] = []
    for at in range(0, len(by_length), BATCH):
        batch = by_length[at : at + BATCH]
        answers = scorer.probabilities([headline.text for headline in batch])
        scored_at = now()
        for headline, answer in zip(batch, answers.tolist(), strict=True):
            negative, neutral, positive = answer
            rows.append(
                ScoreRow(
                    article_id=headline.article.id,
                    wording=headline.article.wording,
                    version=scoring.version,
                    family=scoring.family,
                    manifest_digest=scoring.manifest_digest,
                    negative=negative,
                    neutral=neutral,
                    positive=positive,
                    label=likeliest_label(answer),
                    text_hash=headline.hash,
                    characters=len(headline.text),
                    characters_read=scorer.model.reading(headline.text).characters,
                    available_at=headline.article.available_at,
                    scored_at=scored_at,
                )
            )
    return rows
