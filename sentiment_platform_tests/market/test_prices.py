from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.market.errors import PriceFileError
from sentiment_platform.market.price_files import parse_price_map, read_price_file
from sentiment_platform.market.prices import StoredPrices, store_bars
from sentiment_platform.store.market import WrittenBars, coverage
from sentiment_platform.store.quarantine import quarantined_items
from sentiment_platform_tests.market.making import NOW, raw, sessions


def store(engine: Engine, bars: list, source: str = "made", run_id: str = "run", now: datetime = NOW) -> StoredPrices:  # type: ignore[type-arg]
    with engine.begin() as connection:
        return store_bars(connection, bars, source=source, run_id=run_id, now=now)


def rows(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [
            tuple(row) for row in connection.execute(text("SELECT xmin, ctid, p.* FROM platform.market_prices p ORDER BY 3, 4"))
        ]


def test_the_same_bars_again_change_nothing_and_a_changed_one_is_noted(engine: Engine) -> None:
    days = [str(day) for day in sessions("2025-11-03", "2025-11-14")]
    bars = [raw(day, close=10.0 + n / 10) for n, day in enumerate(days)]
    assert store(engine, bars).written == WrittenBars(new=10)
    before = rows(engine)
    assert store(engine, bars[::-1], run_id="another").written == WrittenBars(unchanged=10)
    assert rows(engine) == before
    for n, close in enumerate((10.05, 10.06)):
        changed = [*bars[:-1], raw(days[-1], close=close)]
        assert store(engine, changed, run_id=f"correction {n}").written == WrittenBars(revised=1, unchanged=9)
    with engine.connect() as connection:
        superseded = connection.execute(
            text("SELECT session, revision, close FROM platform.price_revisions ORDER BY revision")
        ).all()
        assert superseded == [(date(2025, 11, 14), 0, 10.9), (date(2025, 11, 14), 1, 10.05)]
        (found,) = coverage(connection)
    assert (found.first, found.last, found.bars, found.revised) == (date(2025, 11, 3), date(2025, 11, 14), 10, 1)


def test_a_bar_is_known_from_the_close_of_its_session(engine: Engine) -> None:
    store(engine, [raw("2025-11-28"), raw("2025-07-01")])
    with engine.connect() as connection:
        known = connection.execute(text("SELECT available_at FROM platform.market_prices ORDER BY session")).scalars().all()
    assert known == [datetime(2025, 7, 1, 20, tzinfo=UTC), datetime(2025, 11, 28, 18, tzinfo=UTC)]


def closes(engine: Engine) -> dict[tuple[str, date], datetime]:
    with engine.connect() as connection:
        known = connection.execute(text("SELECT symbol, session, available_at FROM platform.market_prices")).all()
    return {(row.symbol, row.session): row.available_at for row in known}


def test_a_bar_is_held_against_its_own_exchange_and_known_from_its_close(engine: Engine) -> None:
    # On 17 February New York has a holiday; on the 15th, a Saturday, only crypto is traded.
    bars = [raw("2025-02-17", symbol) for symbol in ("999990.KS", "LMP", "BTC-USD", "LMP.QQ")]
    stored = store(engine, [*bars, raw("2025-02-15", "999990.KS"), raw("2025-02-15", "BTC-USD")])
    assert (stored.written, stored.refused) == (WrittenBars(new=4), 2)
    known = {
        ("999990.KS", date(2025, 2, 17)): datetime(2025, 2, 17, 6, 30, tzinfo=UTC),
        ("BTC-USD", date(2025, 2, 17)): datetime(2025, 2, 18, tzinfo=UTC),
        ("BTC-USD", date(2025, 2, 15)): datetime(2025, 2, 16, tzinfo=UTC),
        ("LMP.QQ", date(2025, 2, 17)): datetime(2025, 2, 18, 12, tzinfo=UTC),
    }
    assert closes(engine) == known
    # A close that was taken for New York's is put right when the bar comes again, and that is no revision.
    with engine.begin() as connection:
        connection.execute(text("UPDATE platform.market_prices SET available_at = '2025-02-17T21:00Z'"))
    assert store(engine, bars[2:]).written == WrittenBars(unchanged=2)
    assert closes(engine) == {
        name: datetime(2025, 2, 17, 21, tzinfo=UTC) if name[0] == "999990.KS" or name[1].day == 15 else at
        for name, at in known.items()
    }


def test_a_bar_is_not_over_before_its_own_exchange_has_closed(engine: Engine) -> None:
    bars = [raw("2025-02-18", symbol) for symbol in ("999990.KS", "LMP.L", "LMP", "BTC-USD", "LMP.QQ")]
    for now, over in (("2025-02-18T06:30", 1), ("2025-02-18T16:30", 2), ("2025-02-18T21:00", 3), ("2025-02-19T11:59", 4)):
        written = store(engine, bars, now=datetime.fromisoformat(now).replace(tzinfo=UTC)).written
        assert written.new + written.unchanged == over


def test_a_series_never_alternates_between_two_sources(engine: Engine) -> None:
    store(engine, [raw("2025-11-24"), raw("2025-11-25")])
    both = [raw("2025-11-25", close=11.0), raw("2025-11-26", close=11.0)]
    assert store(engine, both, source="other").written == WrittenBars(new=1, of_another_source=1)
    with engine.connect() as connection:
        assert [(c.source, c.last) for c in coverage(connection)] == [
            ("made", date(2025, 11, 25)),
            ("other", date(2025, 11, 26)),
        ]


def test_refused_bars_are_in_quarantine_once_with_their_rule_and_as_they_came(engine: Engine) -> None:
    bars = [raw("2025-11-24"), raw("2025-11-25", high="x"), raw("2025-11-29")]
    assert store(engine, bars) == StoredPrices("made", 3, 2, WrittenBars(new=1))
    assert store(engine, bars) == StoredPrices("made", 3, 2, WrittenBars(unchanged=1))
    with engine.connect() as connection:
        items = quarantined_items(connection)
    assert Counter((item.boundary, item.source, item.rule) for item in items) == {
        ("market_prices", "made", "prices_are_present"): 1,
        ("market_prices", "made", "session_is_a_trading_day"): 1,
    }
    assert {item.payload["high"] for item in items} == {"x", 10.0}


def test_an_unadjusted_split_is_not_stored_until_the_whole_history_comes_adjusted(engine: Engine) -> None:
    days = [str(day) for day in sessions("2025-11-03", "2025-11-14")]
    store(engine, [raw(day, close=100.0) for day in days[:5]])
    after = [raw(day, close=10.0) for day in days[5:]]
    assert store(engine, after).refused == 5
    assert store(engine, [raw(day, close=10.0) for day in days]).written == WrittenBars(new=5, revised=5)
    # What was refused came again and was taken: nothing waits in quarantine.
    with engine.connect() as connection:
        assert quarantined_items(connection) == []


def test_a_bar_with_what_a_database_cannot_hold_is_quarantined_all_the_same(engine: Engine) -> None:
    assert store(engine, [raw(high=float("nan"), note="a\x00b\ud800")]).refused == 1


def csv(folder: Path, content: str) -> Path:
    path = folder / "prices.csv"
    path.write_text(content)
    return path


def test_a_file_is_read_by_its_map(tmp_path: Path) -> None:
    path = csv(tmp_path, "day,open,high,low,close\n2025-11-24,1,2,0.5,1.5\n2025-11-25,1,,0.5\n")
    one, two = read_price_file(path, parse_price_map("session=day"), "exm")
    assert (one.symbol, one.session, one.open, one.high, one.volume) == ("EXM", date(2025, 11, 24), 1.0, 2.0, None)
    assert (two.high, two.close) == (None, None)


@pytest.mark.parametrize(
    ("content", "mapping", "symbol", "reason"),
    [
        ("ds,open,high,low\n", "session=ds", "EXM", "has no column close"),
        ("session,open,high,low,close\n", "", None, "does not say whose prices"),
        ("", "", "EXM", "has no column session, open"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: str, mapping: str, symbol: str | None, reason: str) -> None:
    with pytest.raises(PriceFileError, match=reason):
        list(read_price_file(csv(tmp_path, content), parse_price_map(mapping), symbol))
    with pytest.raises(PriceFileError, match="cannot use 'colour=c'"):
        parse_price_map("colour=c")
    with pytest.raises(PermanentError, match="cannot be read"):
        list(read_price_file(tmp_path / "absent.csv", parse_price_map(""), "EXM"))


@pytest.fixture
def seven(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "dated/mag7/prices").glob("*.csv"))


@pytest.mark.shared_data
def test_six_years_of_seven_companies_are_stored_once_and_none_is_refused(engine: Engine, seven: list[Path]) -> None:
    columns = parse_price_map("session=ds,symbol=ticker")
    for again in (False, True):
        for path in seven:
            found = store(engine, list(read_price_file(path, columns)), source="archive")
            expected = WrittenBars(unchanged=1476) if again else WrittenBars(new=1476)
            assert found == StoredPrices("archive", 1476, 0, expected), path.name
    with engine.connect() as connection:
        assert {(c.first, c.last, c.bars) for c in coverage(connection)} == {(date(2020, 1, 2), date(2025, 11, 13), 1476)}
    # The calendar agrees with what was traded: no session without a bar, and no bar without a session.
    assert len(sessions("2020-01-02", "2025-11-13")) == 1476
