"""Claims about what was stored before symbols had one spelling: classes of shares are renamed, nothing else is."""

import pytest

from sentiment_platform.store.migrate import upgrade
from sentiment_platform_tests.store.statements import execute

pytestmark = pytest.mark.slow
AT = "2026-03-02T10:00:00Z"


def test_a_class_of_shares_is_renamed_and_a_suffix_of_an_exchange_is_not(empty_database_url: str) -> None:
    url = empty_database_url
    upgrade(url, "0014")
    execute(
        url,
        "INSERT INTO platform.raw_data (id, source, external_id, title, tickers, published_at, fetched_at, available_at, content_hash, run_id)"
        f" VALUES ('a', 's', 'e', 't', '{{MIL.B,MILL.L,LAKE}}', '{AT}', '{AT}', '{AT}', 'h', 'r')",
    )
    for symbol in ("MIL.B", "MILL.L", "LAK.A", "LAK-A"):
        execute(
            url,
            "INSERT INTO platform.market_prices (symbol, session, open, high, low, close, source, available_at, fetched_at, run_id, revision)"
            f" VALUES ('{symbol}', '2026-03-02', 1, 1, 1, 1, 's', '{AT}', '{AT}', 'r', 0)",
        )
    upgrade(url)
    assert execute(url, "SELECT tickers FROM platform.raw_data") == [(["MIL-B", "MILL.L", "LAKE"],)]
    # Where both spellings have prices, nobody can tell which is right.
    assert {row[0] for row in execute(url, "SELECT symbol FROM platform.market_prices")} == {"MIL-B", "MILL.L", "LAK.A", "LAK-A"}
