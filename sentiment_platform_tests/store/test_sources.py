from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, text

from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.sources import (
    SourceState,
    charge_request,
    read_source_state,
    read_source_states,
    write_source_state,
)

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = create_platform_engine(database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_the_state_of_a_source_is_read_as_it_was_written(connection: Connection) -> None:
    assert read_source_state(connection, "wire") == SourceState(source="wire")
    state = SourceState(
        source="wire",
        etag='"1"',
        last_modified="Mon",
        last_success_at=NOON,
        last_failure_at=NOON,
        last_failure="why",
        consecutive_failures=2,
        items_seen=7,
        retry_after=NOON,
        body_hash="ab12",
        quota_day=date(2025, 1, 6),
        quota_used=3,
        cursor={"page": 4},
        validators_broken=True,
    )
    write_source_state(connection, SourceState(source="wire"))
    write_source_state(connection, state)
    assert read_source_state(connection, "wire") == state
    write_source_state(connection, SourceState(source="another"))
    assert read_source_states(connection) == {"another": SourceState(source="another"), "wire": state}


def test_no_cursor_is_null_and_not_the_json_value_null(connection: Connection) -> None:
    write_source_state(connection, SourceState(source="wire", cursor={"page": 1}))
    write_source_state(connection, SourceState(source="wire"))
    assert connection.execute(text("SELECT cursor IS NULL FROM platform.source_state")).scalar_one() is True


def test_requests_are_counted_by_day_and_refused_beyond_the_quota(connection: Connection) -> None:
    today, tomorrow = date(2025, 1, 6), date(2025, 1, 7)
    assert [charge_request(connection, "wire", today, 2) for _ in range(4)] == [1, 2, None, None]
    assert read_source_state(connection, "wire") == SourceState(source="wire", quota_day=today, quota_used=2)
    write_source_state(connection, SourceState(source="wire", etag='"1"', quota_day=today, quota_used=2))
    assert charge_request(connection, "wire", tomorrow, 2) == 1
    assert read_source_state(connection, "wire") == SourceState(source="wire", etag='"1"', quota_day=tomorrow, quota_used=1)
