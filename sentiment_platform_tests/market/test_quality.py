from datetime import UTC, date, datetime

import pytest

from sentiment_platform.market.bars import read_session
from sentiment_platform.market.quality import RULES, judge_bars
from sentiment_platform_tests.market.making import NOW, raw, sessions

BROKEN = {
    "symbol_is_present": {"symbol": " "},
    "session_is_a_date": {"session": "yesterday"},
    "session_is_a_trading_day": {"session": "2025-11-27"},
    "session_is_over": {"session": "2026-01-15"},
    "prices_are_present": {"open": "n/a"},
    "prices_are_positive": {"low": -1.0},
    "high_is_the_highest": {"high": 9.99},
    "low_is_the_lowest": {"low": 10.01, "high": 10.02},
    "volume_is_not_negative": {"volume": -5},
}


@pytest.mark.parametrize(("rule", "cells"), BROKEN.items())
def test_a_bar_that_breaks_a_rule_is_refused_for_it_and_its_neighbours_are_not(rule: str, cells: dict[str, object]) -> None:
    good = [raw("2025-11-24"), raw("2025-11-26", volume=None)]
    found = judge_bars([good[0], raw(**cells), good[1]], NOW, {})
    assert found.accepted == tuple(good)
    assert [refused.rule for refused in found.refused] == [rule]
    assert RULES[rule] in found.refused[0].detail


def test_every_rule_is_tried() -> None:
    assert set(BROKEN) | {"session_has_one_bar", "split_suspected"} == set(RULES)


def test_two_words_on_one_day_are_both_refused_and_the_same_word_twice_is_not() -> None:
    found = judge_bars([raw("2025-11-24"), raw("2025-11-24"), raw("2025-11-25"), raw("2025-11-25", close=10.1)], NOW, {})
    assert [bar.session for bar in found.accepted] == [date(2025, 11, 24)] * 2
    assert [refused.rule for refused in found.refused] == ["session_has_one_bar"] * 2


def test_a_spike_is_one_bar_and_a_lasting_change_of_level_all_bars_after_it() -> None:
    days = [str(day) for day in sessions("2025-11-03", "2025-11-14")]
    spike = [raw(day, close=1000.0 if n == 4 else 10.0 + n / 10) for n, day in enumerate(days)]
    assert [refused.bar.session for refused in judge_bars(spike, NOW, {}).refused] == [date.fromisoformat(days[4])]
    split = [raw(day, close=10.0 if n < 4 else 1.0) for n, day in enumerate(days)]
    found = judge_bars(split[::-1], NOW, {})
    assert {refused.bar.session for refused in found.refused} == {date.fromisoformat(day) for day in days[4:]}
    assert {refused.rule for refused in found.refused} == {"split_suspected"}
    # Whoever has looked and found the moves real may say so.
    assert judge_bars(split, NOW, {}, accept_jumps=True).refused == ()


def test_the_first_bar_is_compared_with_what_is_stored_and_not_with_what_is_long_past() -> None:
    assert judge_bars([raw()], NOW, {"EXM": 100.0}).accepted == ()
    assert judge_bars([raw()], NOW, {"EXM": 10.5, "OTHER": 100.0}).refused == ()
    assert judge_bars([raw("2024-11-25", close=100.0), raw()], NOW, {}).refused == ()


def test_a_session_is_over_when_the_exchange_has_closed() -> None:
    # The day after Thanksgiving closes at 18:00 UTC.
    early, at_close = datetime(2025, 11, 28, 17, 59, 59, tzinfo=UTC), datetime(2025, 11, 28, 18, tzinfo=UTC)
    assert judge_bars([raw("2025-11-28")], early, {}).accepted == ()
    assert judge_bars([raw("2025-11-28")], at_close, {}).refused == ()


def test_a_time_is_the_date_that_the_exchange_has_then() -> None:
    # Midnight in New York, in winter and in summer.
    assert [read_session(1112331600000), read_session(1112587200000)] == [date(2005, 4, 1), date(2005, 4, 4)]
    assert read_session("2015-01-02T00:00:00.000Z") == date(2015, 1, 2)
    assert [read_session(cell) for cell in (None, "", True, 1e30, "02/01/2015")] == [None] * 5
