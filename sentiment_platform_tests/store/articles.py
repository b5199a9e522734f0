"""Small articles by number, as collection stores them."""

from datetime import UTC, datetime, timedelta

from sentiment_platform.store.articles import NewArticle

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)


def article(
    number: int, *, hours: float = 0, source: str = "wire", outlet: str | None = None, external_id: str = ""
) -> NewArticle:
    hash_ = f"{number:064}"
    at = NOON + timedelta(hours=hours)
    return NewArticle(
        id=hash_[-32:],
        source=source,
        external_id=external_id or f"{source}-{number}",
        url=None,
        canonical_url=None,
        outlet=outlet,
        title=f"Title {number}",
        summary=None,
        language=None,
        tickers=("EXM",),
        published_at=at,
        published_text=None,
        fetched_at=at,
        available_at=at,
        content_hash=hash_,
        run_id="run",
    )
