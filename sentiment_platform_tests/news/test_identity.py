from datetime import UTC, datetime, timedelta

import pytest

from sentiment_platform.news.identity import content_hash, external_id
from sentiment_platform.news.items import RawItem

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)


def item(**changes: object) -> RawItem:
    values = {"source": "s", "origin": "o", "position": 1, "title": "Profit rises", "published_at": NOON}
    return RawItem(**{**values, **changes})  # type: ignore[arg-type]


def test_the_same_article_has_one_content_hash_whatever_its_spelling() -> None:
    one = item(url="https://example.com/x?utm_source=a", title="Profit rises!")
    other = item(url="https://example.com/x/", title="PROFIT  rises", source="another", published_at=NOON + timedelta(days=9))
    assert content_hash(one) == content_hash(other)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Profit falls"},
        {"summary": "More."},
        {"published_at": NOON + timedelta(days=1)},
        {"outlet": "B"},
        {"source": "t"},
    ],
)
def test_without_an_address_title_summary_day_and_outlet_tell_articles_apart(changes: dict[str, object]) -> None:
    assert content_hash(item()) != content_hash(item(**changes))


def test_without_an_address_the_time_within_the_day_does_not_matter() -> None:
    assert content_hash(item()) == content_hash(item(published_at=NOON + timedelta(hours=11)))


def test_an_item_is_known_at_its_source_by_guid_then_address_then_content() -> None:
    assert external_id(item(guid="g", url="https://example.com/x")) == "g"
    assert external_id(item(url="https://example.com/x#top")) == "https://example.com/x"
    assert external_id(item()) == content_hash(item())
