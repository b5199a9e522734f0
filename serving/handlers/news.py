"""What the news says: stories with their scores, and companies over a window. Read from the database; 503 while that is away."""

import base64
import binascii
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.symbols import LONGEST_TEXT
from sentiment_platform.text.english import is_english
from sentiment_platform.text.normalise import normalise
from serving.contract.news_bodies import (
    EarlierHeadline,
    LabelShares,
    NewsAnswer,
    NewsItem,
    NewsScore,
    TickerNews,
    TickersAnswer,
)
from serving.contract.prediction_bodies import LabelProbabilities
from serving.contract.problems import Problem
from serving.edge.openapi import problem_responses
from serving.handlers.paging import Limit
from serving.predict.text_input import readable_symbol
from serving.services import Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from sentiment_platform.store.company_news import CompanyNews, CompanyWindow
    from sentiment_platform.store.scored_news import NewsPlace, ScoredStory, StoryScore

TAGS = ["news"]
Symbol = Annotated[
    str | None,
    QueryParameter(max_length=LONGEST_TEXT, description="Only news that names this share.", schema_extra={"format": "symbol"}),
]
Since = Annotated[
    str | None,
    QueryParameter(
        max_length=40,
        description="Only what was published since, with an offset from UTC.",
        schema_extra={"format": "date-time"},
    ),
]
Cursor = Annotated[
    str | None,
    QueryParameter(max_length=200, description="`next_cursor` of the page before.", schema_extra={"format": "news-cursor"}),
]
Days = Annotated[int, QueryParameter(ge=1, le=30, description="Length of the window that ends now, in days.")]
FamilyName = Annotated[
    str | None,
    QueryParameter(
        max_length=30,
        description="Whose scores; by default the deployed default family.",
        schema_extra={"format": "family"},
    ),
]


@get("/news", tags=TAGS, responses=problem_responses(400, 503), summary="The news with its sentiment, newest first")
async def news(
    services: NamedDependency[Services], symbol: Symbol = None, since: Since = None, limit: Limit = 50, cursor: Cursor = None
) -> NewsAnswer:
    """One item a story, at its first article, in the words that stand now; `earlier` has those before a correction. Pages follow each other without a gap while news comes in."""
    published_since = _moment(since) if since is not None else None
    after = _place(cursor) if cursor is not None else None
    wanted = readable_symbol(symbol, "symbol")

    def read(connection: "Connection") -> "list[ScoredStory]":
        from sentiment_platform.store.scored_news import is_place, news_page

        if after is not None and not is_place(connection, after):
            raise _bad_cursor()
        # One more than asked tells whether there is another page.
        return news_page(connection, symbol=wanted, since=published_since, after=after, limit=limit + 1)

    stories = await services.database.call(read)
    last = stories[limit - 1] if len(stories) > limit else None
    return NewsAnswer(services.clock(), [_item(story) for story in stories[:limit]], _cursor(last) if last else None)


@get("/tickers", tags=TAGS, responses=problem_responses(400, 503), summary="What the news says of each company")
async def tickers(
    services: NamedDependency[Services], days: Days = 7, limit: Limit = 100, family: FamilyName = None
) -> TickersAnswer:
    """Stories, mean sentiment and share of each label in the window that ends now, and the change against the window before."""
    if family is not None and family not in FAMILIES:
        raise Problem(400, "unknown_family", f"There is no family {family!r}; there are {', '.join(FAMILIES)}.", field="family")
    now = services.clock()

    def read(connection: "Connection") -> "tuple[CompanyWindow, int]":
        from sentiment_platform.store.company_news import MIN_STORIES, companies

        return companies(connection, now, timedelta(days=days), family=family, limit=limit), MIN_STORIES

    window, min_stories = await services.database.call(read)
    return TickersAnswer(
        as_of=window.until,
        since=window.since,
        family=window.family,
        min_stories=min_stories,
        tickers=[_ticker(company) for company in window.companies],
    )


def _item(story: "ScoredStory") -> NewsItem:
    return NewsItem(
        story_id=story.story_id,
        article_id=story.article_id,
        headline=normalise(story.title),
        outlet=normalise(story.outlet),
        url=story.url,
        symbols=list(story.symbols),
        published_at=story.published_at,
        available_at=story.available_at,
        articles=story.articles,
        supported=is_english(normalise(story.title)),
        scores=_scores(story.scores),
        agreement=story.agreement,
        corrected_at=story.corrected_at,
        earlier=[EarlierHeadline(normalise(told.title), told.available_at, _scores(told.scores)) for told in story.earlier],
    )


def _scores(scores: "Sequence[StoryScore]") -> dict[str, NewsScore]:
    return {
        score.family: NewsScore(
            version=score.version,
            label=score.label,
            sentiment=score.sentiment,
            probabilities=LabelProbabilities(score.negative, score.neutral, score.positive),
            scored_at=score.scored_at,
        )
        for score in scores
    }


def _ticker(company: "CompanyNews") -> TickerNews:
    labels, scored = company.labels, company.scored
    shares = (
        LabelShares(labels.negative / scored, labels.neutral / scored, labels.positive / scored) if not company.too_few else None
    )
    return TickerNews(
        symbol=company.symbol,
        stories=company.stories,
        scored_stories=scored,
        too_few=company.too_few,
        mean_sentiment=company.mean,
        label_shares=shares,
        change=company.change,
    )


def _cursor(last: "ScoredStory") -> str:
    place = msgspec.json.encode((last.published_at, last.article_id))
    return base64.urlsafe_b64encode(place).decode().rstrip("=")


def _place(cursor: str) -> "NewsPlace":
    from sentiment_platform.store.scored_news import NewsPlace

    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        published_at, article_id = msgspec.json.decode(content, type=tuple[datetime, str])
        if published_at.tzinfo is None or "\0" in article_id:
            raise ValueError("not a place")
        return NewsPlace(published_at, article_id)
    except (binascii.Error, ValueError) as error:
        raise _bad_cursor() from error


def _bad_cursor() -> Problem:
    remedy = "The cursor is none that this route gave. Leave it out to start with the newest news."
    return Problem(400, "bad_cursor", remedy, field="cursor")


def _moment(written: str) -> datetime:
    """Strictly: seconds since 1970, which a lenient reader takes for a moment, are none here."""
    try:
        moment = msgspec.convert(written, datetime)
    except msgspec.ValidationError:
        moment = None
    if moment is None or moment.tzinfo is None:
        reason = "has no offset from UTC" if moment else "is no moment"
        raise Problem(400, "invalid_since", f"`since` {reason}; write it as 2026-03-02T09:30:00Z.", field="since")
    return moment


def routes() -> list[HTTPRouteHandler]:
    """Both routes."""
    return [news, tickers]
