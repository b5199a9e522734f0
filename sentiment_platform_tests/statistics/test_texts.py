"""Claims about the test of all texts together: it finds other words, and nothing where there is nothing."""

import numpy as np

from sentiment_platform.statistics.drift.texts import AUC_THRESHOLD, TextShift, text_shift

WORDS = [f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(400)]
OTHER = [word.upper().replace("WORD", "term") for word in WORDS]


def headlines(n: int, seed: int, words: list[str] = WORDS) -> list[str]:
    generator = np.random.default_rng(seed)
    weights = 1 / np.arange(1, len(words) + 1)
    return [" ".join(generator.choice(words, size=9, p=weights / weights.sum())) for _ in range(n)]


def drifted(shift: TextShift) -> bool:
    return shift.auc >= AUC_THRESHOLD and shift.p_value < 0.05


def test_texts_of_one_kind_are_told_apart_by_chance_and_p_is_small_as_rarely_as_it_should_be() -> None:
    shifts = [text_shift(headlines(400, seed), headlines(100, 1000 + seed)) for seed in range(60)]
    assert abs(np.mean([shift.auc for shift in shifts]) - 0.5) < 0.02
    assert np.mean([shift.p_value < 0.05 for shift in shifts]) <= 0.1
    assert not any(drifted(shift) for shift in shifts)


def test_a_replaced_vocabulary_is_found_each_time_and_its_words_are_named() -> None:
    for seed in range(20):
        shift = text_shift(headlines(400, seed), headlines(100, 1000 + seed, OTHER))
        assert shift.auc > 0.99
        assert drifted(shift)
        assert set(shift.words) <= {word.lower() for word in OTHER}


def test_one_new_subject_in_half_of_the_texts_is_found() -> None:
    new = [f"{text} virus outbreak lockdown" if i % 2 else text for i, text in enumerate(headlines(200, 1))]
    shift = text_shift(headlines(800, 2), new)
    assert drifted(shift)
    assert {"virus", "outbreak", "lockdown"} <= set(shift.words)


def test_case_and_the_value_of_numbers_say_nothing() -> None:
    before, after = ("Plant {} earned {} million" for _ in range(2))
    shift = text_shift([before.format(i, i) for i in range(60)], [after.upper().format(1000 + i, 7 * i) for i in range(60)])
    assert shift.auc == 0.5


def test_the_same_texts_give_the_same_figures() -> None:
    one, other = headlines(100, 1), headlines(60, 2)
    assert text_shift(one, other) == text_shift(one, other)
