"""Articles of a made-up day, stored as collection stores them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from sentiment_platform.store.articles import NewArticle, insert_articles
from sentiment_platform.store.stories import StoryAssignment, write_stories

DAY = datetime(2025, 1, 6, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)
NOW = DAY + timedelta(days=1, hours=1)


def article(number: int, minutes: float, late_minutes: float = 0, **changes: object) -> NewArticle:
    at = DAY + timedelta(minutes=minutes)
    plain = {
        "id": f"{number:032}",
        "source": "wire",
        "external_id": str(number),
        "url": None,
        "canonical_url": None,
        "outlet": f"Outlet {number % 7}",
        "title": f"Company {number} raises its outlook by {number}% after a GREAT quarter!",
        "summary": None,
        "language": None,
        "tickers": (f"T{number % 50}",),
        "published_at": at,
        "published_text": None,
        "fetched_at": at,
        "available_at": at + timedelta(minutes=late_minutes),
        "content_hash": f"{number:064}",
        "run_id": "run",
    }
    return NewArticle(**(plain | changes))  # type: ignore[arg-type]


def insert(engine: Engine, articles: Sequence[NewArticle], *, one_story: bool = False) -> None:
    with engine.begin() as connection:
        insert_articles(connection, articles)
        story = articles[0].id if one_story else None
        write_stories(connection, [StoryAssignment(a.id, story or a.id, "title_key", 1.0) for a in articles])
