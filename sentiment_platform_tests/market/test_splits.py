"""Splits that nobody adjusted: asked about, answered, taken back. The prices are made up."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.features.history import load_history
from sentiment_platform.features.schema import SCHEMAS
from sentiment_platform.market.bars import RawBar
from sentiment_platform.market.errors import SplitError
from sentiment_platform.market.outcomes import Prices
from sentiment_platform.market.prices import StoredPrices, judge_again, store_bars
from sentiment_platform.market.quality import judge_bars
from sentiment_platform.market.ratios import Ratio, nearest_ratio, parse_ratio
from sentiment_platform.market.splits import answer_split, take_back
from sentiment_platform.store.audit import verify
from sentiment_platform.store.market import Bar, bars_between
from sentiment_platform.store.quarantine import quarantined_items
from sentiment_platform.store.splits import questions_open
from sentiment_platform_tests.market.making import NOW, raw, sessions

DAYS = sessions("2025-10-01", "2025-11-14")
SPLIT = DAYS[15]
RATIOS = [Ratio(n, 1) for n in (2, 3, 4, 5, 7, 10, 15, 20, 25, 30, 50, 100)]
RATIOS += [Ratio(3, 2), Ratio(4, 3), Ratio(5, 4), Ratio(5, 2), Ratio(8, 5), Ratio(6, 5)]
RATIOS += [Ratio(ratio.old, ratio.new) for ratio in RATIOS]
STEADY = [100.0 + (n * 7 % 5) / 2 for n in range(len(DAYS))]


def series(ratio: Ratio | None, move: float = 0.0, level: Sequence[float] = STEADY, symbol: str = "EXM") -> list[RawBar]:
    """A bar a day; from SPLIT on divided by the ratio, with volumes multiplied, on a day that itself moved by `move`."""
    bars = []
    for n, (day, close) in enumerate(zip(DAYS, level, strict=True)):
        new = day >= SPLIT
        factor = (ratio.factor if ratio else 1.0) if new else 1.0
        price = close * (1 + move if new else 1.0) / factor
        volume = round((1000 + 37 * (n % 4)) * factor)
        cells = {"open": price * 0.999, "high": price * 1.003, "low": price * 0.996, "volume": volume}
        bars.append(raw(str(day), symbol, price, **cells))
    return bars


def store(engine: Engine, bars: Sequence[RawBar], now: datetime = NOW, source: str = "made", **options: object) -> StoredPrices:
    with engine.begin() as connection:
        return store_bars(connection, bars, source=source, run_id="run", now=now, **options)  # type: ignore[arg-type]


def say(engine: Engine, ratio: str | None, day: date = SPLIT, symbol: str = "EXM", now: datetime = NOW) -> int:
    with engine.begin() as connection:
        parsed = None if ratio is None else parse_ratio(ratio)
        revised = answer_split(connection, symbol, day, parsed, by="a person", run_id="said", now=now)
        judge_again(connection, symbol, run_id="said", now=now)
        return revised


def undo(engine: Engine, day: date = SPLIT) -> int:
    with engine.begin() as connection:
        revised = take_back(connection, "EXM", day, by="a person", run_id="undone", now=NOW)
        judge_again(connection, "EXM", run_id="undone", now=NOW)
        return revised


def bars_of(engine: Engine, symbol: str = "EXM") -> list[Bar]:
    with engine.connect() as connection:
        return bars_between(connection, DAYS[0], DAYS[-1], [symbol])


def closes(engine: Engine) -> list[float]:
    return [bar.close for bar in bars_of(engine)]


def asked(engine: Engine) -> list[tuple[date, str]]:
    with engine.connect() as connection:
        return [(one.day, one.ratio) for one in questions_open(connection)]


def adjusted(ratio: Ratio, move: float = 0.0) -> list[float]:
    return [c / ratio.factor * (1 + move if day >= SPLIT else 1.0) for day, c in zip(DAYS, STEADY, strict=True)]


@pytest.mark.parametrize("move", [-0.1, -0.05, -0.02, 0.0, 0.02, 0.05, 0.1])
def test_every_ratio_on_any_day_is_refused_from_that_day_on_and_nothing_else(move: float) -> None:
    for ratio in RATIOS:
        if ratio in (Ratio(6, 5), Ratio(5, 6)) and abs(move) == 0.1:
            continue  # 1.2 against ten percent: what is left is an ordinary day
        bars = series(ratio, move)
        judged = judge_bars(bars, NOW, {})
        assert [bar.session for bar in judged.accepted] == DAYS[:15], (ratio, move)
        assert {(one.rule, one.bar.session) for one in judged.refused} == {("split_suspected", day) for day in DAYS[15:]}
        [question] = judged.questions
        assert (question.symbol, question.day) == ("EXM", SPLIT)
        assert f"--split EXM {SPLIT} {question.ratio}" in judged.refused[-1].detail
        assert f"--real-move EXM {SPLIT}" in judged.refused[0].detail


def test_without_a_move_the_ratio_itself_is_named() -> None:
    level = [100.0] * len(DAYS)
    named = {ratio: judge_bars(series(ratio, level=level), NOW, {}).questions[0].ratio for ratio in RATIOS}
    assert {ratio: word for ratio, word in named.items() if word != str(ratio)} == {}


@pytest.mark.parametrize("move", [-0.05, -0.02, 0.0, 0.02, 0.05])
def test_ordinary_days_are_not_asked_about(move: float) -> None:
    """The negative control: the same days without a split."""
    assert judge_bars(series(None, move), NOW, {}).refused == ()


def test_a_fall_on_news_is_taken_as_real_and_named_and_a_larger_one_is_asked_about() -> None:
    bars = series(None, -0.2)
    loud = [
        raw(str(b.session), close=b.close, open=b.open, high=b.high, low=b.low, volume=6000) if b.session == SPLIT else b
        for b in bars
    ]
    judged = judge_bars(loud, NOW, {})
    assert judged.refused == ()
    assert [line.split(":")[0] for line in judged.news] == [f"EXM {SPLIT}"]
    assert judge_bars(bars, NOW, {}).questions != ()
    larger = [raw(str(b.session), close=b.close, volume=9000 if b.session == SPLIT else 1000) for b in series(None, -0.4)]
    assert judge_bars(larger, NOW, {}).questions != ()


def test_a_refused_series_that_drifts_back_over_any_bound_does_not_sneak_in(engine: Engine) -> None:
    levels = [100.0 + n % 3 for n in range(15)] + [50 * 1.045**n for n in range(len(DAYS) - 15)]
    bars = series(None, level=levels)
    assert levels[-1] > 100.0
    store(engine, bars[:15])
    for bar in bars[15:]:
        assert store(engine, [bar]).refused == 1
    assert len(bars_of(engine)) == 15
    assert asked(engine) == [(SPLIT, "2:1")]


def test_increments_are_held_against_the_stored_close_and_wait_together(engine: Engine) -> None:
    bars = series(Ratio(5, 4), 0.03)
    store(engine, bars[:15])
    for bar in bars[15:]:
        assert (store(engine, [bar]).refused, store(engine, [bar]).refused) == (1, 1)
    assert asked(engine) == [(SPLIT, "5:4")]
    assert say(engine, "5:4") == 15
    assert closes(engine) == pytest.approx(adjusted(Ratio(5, 4), 0.03), rel=1e-9)
    assert asked(engine) == []
    with engine.connect() as connection:
        assert quarantined_items(connection) == []


@pytest.mark.parametrize("ratio", ["2:1", "3:2", "5:4", "1:10", "7:1"])
def test_a_named_split_makes_the_adjusted_series_whatever_comes_again(engine: Engine, ratio: str) -> None:
    known = parse_ratio(ratio)
    bars = series(known)
    assert store(engine, bars).refused == len(DAYS) - 15
    assert say(engine, ratio) == 15
    expected = adjusted(known)
    assert closes(engine) == pytest.approx(expected, rel=1e-9)
    volumes = [bar.volume for bar in bars_of(engine)]
    assert max(volumes) < 1.2 * min(volumes)  # type: ignore[operator, type-var]
    # Said again, and the same file again: nothing is adjusted twice.
    assert say(engine, ratio) == 0
    assert store(engine, bars).written.revised == 0
    # The source now sends its whole history adjusted, or a part of it.
    whole = series(None, level=expected)
    for part in (whole, whole[5:], whole[:10], whole[12:18]):
        assert store(engine, part).refused == 0
    assert closes(engine) == pytest.approx(expected, rel=1e-9)
    # An older, unadjusted piece of the same file alone.
    store(engine, bars[3:9])
    assert closes(engine) == pytest.approx(expected, rel=1e-9)


def test_a_wrong_ratio_is_corrected_and_a_wrong_split_is_taken_back(engine: Engine) -> None:
    bars = series(Ratio(3, 1))
    store(engine, bars)
    say(engine, "2:1")
    assert asked(engine) == [(SPLIT, "3:1")], "half of the change is left"
    say(engine, "3:1")
    assert closes(engine) == pytest.approx(adjusted(Ratio(3, 1)), rel=1e-9)
    assert undo(engine) == 15
    assert closes(engine) == pytest.approx([bar.close for bar in bars], rel=1e-9)  # type: ignore[arg-type]
    assert asked(engine) == [(SPLIT, "3:1")], "the question is open again"
    with engine.connect() as connection:
        said = connection.execute(text("SELECT actor, action, detail ->> 'said' FROM platform.audit_log ORDER BY id")).all()
        assert verify(connection) == []
    assert [tuple(row) for row in said] == [
        ("a person", "market:split", "2:1"),
        ("a person", "market:split", "3:1"),
        ("a person", "market:take_back", None),
    ]
    with pytest.raises(SplitError, match="Nobody said"):
        undo(engine)


def test_a_split_where_the_level_does_not_change_is_refused(engine: Engine) -> None:
    store(engine, series(None))
    with pytest.raises(SplitError, match="one level"):
        say(engine, "2:1")
    assert closes(engine) == STEADY


def test_a_split_may_be_named_before_its_day(engine: Engine) -> None:
    bars = series(Ratio(2, 1))
    store(engine, bars[:15])
    assert say(engine, "2:1") == 15
    assert store(engine, bars[15:]).refused == 0
    assert closes(engine) == pytest.approx(adjusted(Ratio(2, 1)), rel=1e-9)


def test_a_move_that_a_person_calls_real_is_stored_and_later_bars_know_it(engine: Engine) -> None:
    bars = series(Ratio(2, 1))
    store(engine, bars[:20])
    assert say(engine, None) == 0
    store(engine, bars[20:])
    assert store(engine, bars).refused == 0
    assert closes(engine) == [bar.close for bar in bars]
    # With the option, of a whole file at once; the next file knows.
    other = series(Ratio(3, 1), symbol="OTH")
    assert store(engine, other[:17], accept_jumps=True, accepted_by="me").refused == 0
    assert store(engine, other).refused == 0


def test_an_adjusted_delivery_that_reaches_back_only_a_little_asks_about_the_right_day(engine: Engine) -> None:
    ratio, bars = Ratio(2, 1), series(Ratio(2, 1))
    store(engine, bars[:15])
    whole = series(None, level=adjusted(ratio))
    assert store(engine, whole[12:18]).refused == 6
    assert asked(engine) == [(SPLIT, "2:1")]
    say(engine, "2:1")
    assert closes(engine) == pytest.approx(adjusted(ratio)[:18], rel=1e-9)
    # The whole history, adjusted, would have done as well, without a word.
    undo(engine)
    store(engine, whole)
    assert asked(engine) == []


def test_two_splits_are_asked_about_one_after_the_other(engine: Engine) -> None:
    second = DAYS[22]
    levels = [c / (1 if day < SPLIT else 2 if day < second else 6) for day, c in zip(DAYS, STEADY, strict=True)]
    bars = series(None, level=levels)
    store(engine, bars)
    say(engine, "2:1")
    assert asked(engine) == [(second, "3:1")]
    say(engine, "3:1", second)
    assert closes(engine) == pytest.approx([c / 6 for c in STEADY], rel=1e-9)
    assert store(engine, bars).written.revised == 0


def test_a_spike_waits_alone(engine: Engine) -> None:
    levels = [c * (0.8 if day == SPLIT else 1.0) for day, c in zip(DAYS, STEADY, strict=True)]
    for bar in series(None, level=levels):
        store(engine, [bar])
    assert [bar.session for bar in bars_of(engine)] == [day for day in DAYS if day != SPLIT]


def test_no_return_and_no_feature_crosses_an_open_question(engine: Engine) -> None:
    bars = series(Ratio(2, 1))
    store(engine, bars)

    def held(entry: int, exit_: int) -> float | str:
        with engine.connect() as connection:
            prices = Prices(bars_between(connection, DAYS[0], DAYS[-1]), NOW, asked=questions_open(connection))
        return prices.held("EXM", DAYS[entry], DAYS[exit_])

    def features(n: int) -> set[bool]:
        at = datetime.combine(DAYS[n], datetime.min.time(), NOW.tzinfo) + timedelta(hours=23)
        with engine.connect() as connection:
            values = load_history(connection, SCHEMAS["v2"], at, at).ticker_values("EXM", at)
        return {values[name] is None for name in ("ticker_return_1d", "ticker_return_5d")}

    before = held(9, 14)
    assert isinstance(before, float)
    assert {held(entry, exit_) for entry, exit_ in product((10, 14, 15, 18), (15, 16, 19)) if entry <= exit_} == {
        "split_suspected"
    }
    assert (features(14), features(15), features(17)) == ({False}, {True}, {True})
    say(engine, "2:1")
    assert held(9, 14) == pytest.approx(before, rel=1e-9)
    expected = adjusted(Ratio(2, 1))
    assert held(14, 15) == pytest.approx(expected[15] / (expected[14] * 0.999) - 1, rel=1e-9)
    assert (features(15), features(17)) == ({False}, {False})
    # Taken back, both levels are stored, and still nothing crosses.
    undo(engine)
    assert held(14, 15) == "split_suspected"
    assert isinstance(held(15, 18), float)


@pytest.mark.parametrize(
    ("written", "read"), [("2:1", Ratio(2, 1)), (" 3/2", Ratio(3, 2)), ("3-for-2", Ratio(3, 2)), ("1 for 10", Ratio(1, 10))]
)
def test_a_ratio_is_read_as_people_write_it(written: str, read: Ratio) -> None:
    assert parse_ratio(written) == read


@pytest.mark.parametrize("written", ["", "2", "0:1", "1:0", "1:1", "a:b", "-2:1", "2:1:1", "9999999:1"])
def test_what_is_no_ratio_is_refused(written: str) -> None:
    with pytest.raises(SplitError, match="no ratio"):
        parse_ratio(written)


def test_a_factor_that_no_table_has_is_still_named() -> None:
    assert nearest_ratio(-10.0).new > 10_000
    assert nearest_ratio(10.0).old > 10_000
