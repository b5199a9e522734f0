"""A sound item, and a change that breaks each rule of the news contract."""

from datetime import UTC, datetime, timedelta

from sentiment_platform.news.items import RawItem

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
GOOD = {
    "source": "wire",
    "origin": "wire.csv",
    "position": 1,
    "title": "Profit rises at Example Corp",
    "summary": "A summary.",
    "url": "https://example.com/1",
    "outlet": "Wire",
    "language": "en-US",
    "tickers": ("EXM", "BRK-B", "^GSPC", "0700.HK"),
    "published_at": NOW,
    "published_text": "Mon, 06 Jan 2025 12:00:00 GMT",
}

DEFECTS: dict[str, dict[str, object]] = {
    "row_fits_its_header": {"problem": "more cells than the header has"},
    "title_is_present": {"title": None},
    "title_has_letters": {"title": "+++ 123 +++"},
    "title_is_no_placeholder": {"title": "[Removed]"},
    "title_is_at_most_500_characters": {"title": "a" * 501},
    "title_is_decoded": {"title": "Caf\ufffd profits"},
    "title_has_no_markup": {"title": "<b>Profit</b> rises &amp; costs fall"},
    "text_has_no_binary": {"title": "Profit\x00rises"},
    "published_at_is_present": {"published_at": None, "published_text": None},
    "published_at_is_readable": {"published_at": None, "published_text": "recently"},
    "published_at_is_not_in_the_future": {"published_at": NOW + timedelta(days=1, seconds=1)},
    "published_at_is_after_1990": {"published_at": datetime(1970, 1, 1, tzinfo=UTC)},
}


def item(**changes: object) -> RawItem:
    return RawItem(**{**GOOD, **changes})  # type: ignore[arg-type]
