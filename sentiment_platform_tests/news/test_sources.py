import pytest

from sentiment_platform.errors import SettingsError
from sentiment_platform.news.sources import FeedSource, feed_sources


def test_feeds_are_names_and_addresses() -> None:
    setting = "wire=https://e.example/rss?a=1,2&b=3, ledger = http://127.0.0.1:1/f,"
    assert feed_sources(setting) == (
        FeedSource("wire", "https://e.example/rss?a=1,2&b=3"),
        FeedSource("ledger", "http://127.0.0.1:1/f"),
    )
    assert feed_sources("") == ()


@pytest.mark.parametrize(
    "setting",
    ["https://e.example/rss", "wire=", "wire=e.example", "Bad Name=https://e.example", "a=https://x.example,a=https://y.example"],
)
def test_a_malformed_feed_setting_is_refused(setting: str) -> None:
    with pytest.raises(SettingsError, match="SENTIMENT_FEEDS"):
        feed_sources(setting)
