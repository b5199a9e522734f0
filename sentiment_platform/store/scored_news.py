"""SQL of the news as readers see it: stories with what the versions say of them. Nothing is written here.

A story stands for all its articles: it is listed once, at its first article (of those that name the symbol, where one is asked for),
with the scores of that article. Companies are in `store.company_news`, what is scored when in `store.article_sentiment`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from sentiment_platform.entities import ARTICLE
from sentiment_platform.store.deployments import LAST_NAMED
from sentiment_platform.store.wordings import Wording, corrections_of
from sentiment_platform.text.sentiment import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryScore:
    """What a family says of a story's first article; `scores_in_force` says by which of its versions."""

    family: str
    version: str
    negative: float
    neutral: float
    positive: float
    label: Label
    scored_at: datetime

    @property
    def sentiment(self) -> float:
        """Probability of positive less probability of negative, in [-1, 1]."""
        return self.positive - self.negative


@dataclass(frozen=True, slots=True)
class EarlierHeadline:
    """A wording that stood from `available_at` until the next one, with its scores, which stay what they were."""

    title: str
    available_at: datetime
    scores: tuple[StoryScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredStory:
    """A story at its first article; `articles` is how many tell it, `symbols` are those of the first, `scores` one a family, by name.

    `title` and `scores` are of the newest wording, known since `corrected_at`; `earlier` are those before it, oldest first.
    """

    story_id: str
    article_id: str
    title: str
    outlet: str
    url: str | None
    symbols: tuple[str, ...]
    published_at: datetime
    available_at: datetime
    articles: int
    scores: tuple[StoryScore, ...] = ()
    corrected_at: datetime | None = None
    earlier: tuple[EarlierHeadline, ...] = ()

    @property
    def agreement(self) -> bool | None:
        """Whether all families find the same label; None where fewer than two have scored it."""
        return len({score.label for score in self.scores}) == 1 if len(self.scores) > 1 else None


@dataclass(frozen=True, slots=True)
class NewsPlace:
    """Where a page of news ended: the next one begins with the newest story that is older."""

    published_at: datetime
    article_id: str


# Parts that are not asked for are constants to the planner, which then leaves them out.
_PAGE = text("""
    WITH refused AS (SELECT id FROM platform.quarantine WHERE boundary = 'articles' AND released_at IS NULL)
    SELECT coalesce(story.story_id, article.id), article.id, article.title, coalesce(article.outlet, article.source), article.url,
        article.tickers, article.published_at, article.available_at,
        greatest(1, (
            SELECT count(*) FROM platform.story_clusters AS told
            WHERE told.story_id = story.story_id AND :prefix || told.article_id NOT IN (SELECT id FROM refused)))
    FROM platform.raw_data AS article LEFT JOIN platform.story_clusters AS story ON story.article_id = article.id
    WHERE :prefix || article.id NOT IN (SELECT id FROM refused)
        AND (CAST(:symbol AS text) IS NULL OR article.tickers @> ARRAY[CAST(:symbol AS text)])
        AND (CAST(:since AS timestamptz) IS NULL OR article.published_at >= :since)
        AND (CAST(:after_at AS timestamptz) IS NULL OR (article.published_at, article.id) < (:after_at, :after_id))
        AND NOT EXISTS (
            SELECT 1 FROM platform.story_clusters AS other JOIN platform.raw_data AS earlier ON earlier.id = other.article_id
            WHERE other.story_id = story.story_id AND (earlier.published_at, earlier.id) < (article.published_at, article.id)
                AND (CAST(:symbol AS text) IS NULL OR earlier.tickers @> ARRAY[CAST(:symbol AS text)])
                AND :prefix || earlier.id NOT IN (SELECT id FROM refused))
    ORDER BY article.published_at DESC, article.id DESC LIMIT :limit""").bindparams(prefix=ARTICLE)


def is_place(connection: Connection, place: NewsPlace) -> bool:
    """Whether an article is there: a page can only have ended at one."""
    query = text("SELECT 1 FROM platform.raw_data WHERE id = :article_id AND published_at = :published_at")
    return connection.execute(query, {"article_id": place.article_id, "published_at": place.published_at}).first() is not None


def news_page(
    connection: Connection, *, symbol: str | None, since: datetime | None, after: NewsPlace | None, limit: int
) -> list[ScoredStory]:
    """The newest `limit` stories, or those after a place; of a symbol, or of all; published since a time, or ever.

    A place stays good while news comes in: no story is left out between two pages. One whose earlier article comes late may be met again.
    """
    asked = {
        "symbol": symbol,
        "since": since,
        "after_at": after.published_at if after else None,
        "after_id": after.article_id if after else None,
        "limit": limit,
    }
    rows = connection.execute(_PAGE, asked).all()
    ids = [row[1] for row in rows]
    corrections, scores = corrections_of(connection, ids), scores_in_force(connection, ids)
    stories: list[ScoredStory] = []
    for row in rows:
        told = [Wording("", row[2], row[7]), *corrections.get(row[1], ())]
        said = [tuple(scores.get((row[1], wording.wording), ())) for wording in told]
        stories.append(
            ScoredStory(
                story_id=row[0],
                article_id=row[1],
                title=told[-1].title,
                outlet=row[3],
                url=row[4],
                symbols=tuple(row[5]),
                published_at=row[6],
                available_at=row[7],
                articles=row[8],
                scores=said[-1],
                corrected_at=told[-1].available_at if len(told) > 1 else None,
                earlier=tuple(
                    EarlierHeadline(wording.title, wording.available_at, scored)
                    for wording, scored in zip(told[:-1], said[:-1], strict=True)
                ),
            )
        )
    return stories


_SCORES = text(f"""
    WITH {LAST_NAMED}
    SELECT DISTINCT ON (article_id, wording, family)
        article_id, wording, family, version, negative, neutral, positive, label, scored_at
    FROM platform.article_sentiment LEFT JOIN last_named USING (version) WHERE article_id = ANY(:ids)
    ORDER BY article_id, wording, family, last_named.revision DESC NULLS LAST, scored_at DESC, version DESC""")  # noqa: S608  the part is a constant


def scores_in_force(connection: Connection, article_ids: Sequence[str]) -> dict[tuple[str, str], list[StoryScore]]:
    """(article, wording) -> the score of each family that has one: of its versions that scored it, the one that was deployed last.

    What a version that nobody deployed says of history stands beside that, and is shown only where nothing else is.
    """
    by_wording: dict[tuple[str, str], list[StoryScore]] = {}
    for row in connection.execute(_SCORES, {"ids": list(article_ids)}):
        score = StoryScore(
            family=row[2],
            version=row[3],
            negative=row[4],
            neutral=row[5],
            positive=row[6],
            label=row[7],
            scored_at=row[8],
        )
        by_wording.setdefault((row[0], row[1]), []).append(score)
    return by_wording
