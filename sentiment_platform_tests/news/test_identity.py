from datetime import UTC, datetime, timedelta

import pytest

from sentiment_platform.news.identity import identify
from sentiment_platform.news.items import RawItem

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)


def item(**changes: object) -> RawItem:
    values = {"source": "s", "origin": "o", "position": 1, "title": "Profit rises", "published_at": NOON}
    return RawItem(**{**values, **changes})  # type: ignore[arg-type]


def test_the_same_article_has_one_content_hash_whatever_its_spelling() -> None:
    one = item(url="https://example.com/x?utm_source=a", title="Profit rises!")
    other = item(url="https://example.com/x/", title="PROFIT  rises", source="another", published_at=NOON + timedelta(days=9))
    assert identify(one).content_hash == identify(other).content_hash


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
    assert identify(item()).content_hash != identify(item(**changes)).content_hash


def test_without_an_address_the_time_within_the_day_does_not_matter() -> None:
    assert identify(item()).content_hash == identify(item(published_at=NOON + timedelta(hours=11))).content_hash


def test_an_item_is_known_at_its_source_by_guid_then_address_then_content() -> None:
    assert identify(item(guid="g", url="https://example.com/x")).external_id == "g"
    assert identify(item(url="https://example.com/x#top")).external_id == "https://example.com/x"
    assert identify(item()).external_id == identify(item()).content_hash


def test_http_and_https_are_one_address_and_one_guid() -> None:
    one, other = (
        identify(item(url=f"{scheme}://www.example.com/x", guid=f"{scheme}://example.com/?p=1")) for scheme in ("http", "https")
    )
    assert (one.content_hash, one.external_id) == (other.content_hash, other.external_id)
    assert identify(item(url="http://example.com/x")).external_id == "https://example.com/x"


def test_a_name_too_long_for_an_index_gives_way_to_its_hash() -> None:
    short, long = (identify(item(guid="\u4e00" * n)) for n in (600, 700))
    assert short.external_id == "\u4e00" * 600
    assert len(long.external_id) == 64
