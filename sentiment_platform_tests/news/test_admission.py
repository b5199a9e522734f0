from datetime import UTC, datetime, timedelta

import pytest

from sentiment_platform.news.admission import available_at

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
DAY, LONG_AGO = datetime(2025, 1, 6, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("published_at", "archived", "day_only", "expected"),
    [
        (NOW - timedelta(hours=2), False, False, NOW),
        (NOW + timedelta(minutes=5), False, False, NOW),
        (NOW + timedelta(hours=23), False, False, NOW),
        (NOW + timedelta(hours=25), False, False, NOW + timedelta(hours=25)),
        (LONG_AGO, False, True, NOW),
        (LONG_AGO, True, False, LONG_AGO),
        (LONG_AGO, True, True, LONG_AGO + timedelta(days=1)),
        (DAY, True, True, NOW),
    ],
)
def test_an_item_counts_as_known_no_earlier_than_it_can_have_been(
    published_at: datetime, archived: bool, day_only: bool, expected: datetime
) -> None:
    assert available_at(published_at, NOW, archived=archived, day_only=day_only) == expected
