import os
import subprocess
import sys
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from sentiment_platform.text.lexicon import Lexicon, stock_lexicon
from sentiment_platform.text.rules import STOCK_RULES
from sentiment_platform.text.vader import VaderEngine, VaderScore
from sentiment_platform_tests.text.adversarial import adversarial_texts
from sentiment_platform_tests.text.instructions import executed_instructions
from sentiment_platform_tests.text.reference import UnroundedAnalyzer, figures, labelled_texts, rounded

ENGINE = VaderEngine(stock_lexicon())
PACKAGE = SentimentIntensityAnalyzer()
UNROUNDED = UnroundedAnalyzer()
ADVERSARIAL = adversarial_texts(seed=20, count=8_000)
NUMBERS = [field.name for field in fields(STOCK_RULES) if field.name != "words"]


@cache
def package_score(text: str) -> dict[str, float]:
    return PACKAGE.polarity_scores(text)


def differing(engine: VaderEngine, texts: list[str]) -> list[str]:
    return [text for text in texts if rounded(engine.score(text)) != package_score(text)]


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "count"), [("phrasebank", 4_846), ("sentfin", 10_753), ("tfns", 9_543)])
def test_every_labelled_text_scores_what_the_package_scores(name: str, count: int) -> None:
    texts = labelled_texts()[name]

    assert len(texts) == count
    assert differing(ENGINE, texts) == []


def test_adversarial_texts_score_what_the_package_scores() -> None:
    assert differing(ENGINE, ADVERSARIAL) == []


def test_scores_equal_the_package_to_1e_9_before_it_rounds() -> None:
    for text in ADVERSARIAL:
        ours, theirs = ENGINE.score(text), UNROUNDED.polarity_scores(text)

        assert figures(ours) == pytest.approx(figures(theirs), abs=1e-9), text
        # The reference without rounding is still the reference.
        assert rounded(theirs) == package_score(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
@example("\ud800 good")
@example("ΑΣ’ good İ BAD but\x1cgood")
def test_any_text_scores_what_the_package_scores(text: str) -> None:
    assert differing(ENGINE, [text]) == []


@pytest.mark.parametrize("name", NUMBERS)
def test_the_comparison_notices_a_change_of_any_constant(name: str) -> None:
    value = getattr(STOCK_RULES, name)
    changed = replace(STOCK_RULES, **{name: value + 1 if isinstance(value, int) else value * 1.1})

    assert differing(VaderEngine(stock_lexicon(), changed), ADVERSARIAL)


@pytest.mark.parametrize("name", ["intensifiers", "dampeners", "dampening_phrases", "negations", "phrase_valences"])
def test_the_comparison_notices_a_vocabulary_that_is_missing(name: str) -> None:
    changed = replace(STOCK_RULES, words=replace(STOCK_RULES.words, **{name: ()}))

    assert differing(VaderEngine(stock_lexicon(), changed), ADVERSARIAL)


def test_every_rule_word_of_the_package_has_its_effect() -> None:
    words = STOCK_RULES.words
    triggers = (*words.intensifiers, *words.dampeners, *words.dampening_phrases, *words.negations)
    phrases = [phrase for phrase, _ in words.phrase_valences]
    texts = [f"{start} {trigger} {end}" for trigger in triggers for start in ("", "a b c") for end in ("good", "x bad")]

    assert differing(ENGINE, texts + [f"it is now {phrase} of them" for phrase in phrases]) == []
    assert all(ENGINE.score(f"a b c {trigger} good") != ENGINE.score("a b c so-so good") for trigger in words.negations)


def test_a_changed_lexicon_follows_the_same_rules_as_the_package() -> None:
    deltas = {"least": 0.7, "but": -1.0, "very": 0.5, "not": -0.3, "company": 1.5, "good": -1.9}
    package = SentimentIntensityAnalyzer()
    package.lexicon |= {term: package.lexicon.get(term, 0.0) + delta for term, delta in deltas.items()}
    engine = VaderEngine(Lexicon(package.lexicon, stock_lexicon().emoji))

    assert [text for text in ADVERSARIAL if rounded(engine.score(text)) != package.polarity_scores(text)] == []
    assert differing(engine, ADVERSARIAL)


def test_a_text_without_words_scores_zero_and_one_without_lexicon_words_is_neutral() -> None:
    assert ENGINE.score(" \n") == VaderScore(0.0, 0.0, 0.0, 0.0)
    assert ENGINE.score("company results!!") == VaderScore(0.0, 0.0, 0.0, 1.0)


def test_an_empty_lexicon_finds_everything_neutral() -> None:
    assert VaderEngine(Lexicon({})).score("a GREAT success! 😀") == VaderScore(0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("words", ["not a VERY good result but 😀 kind of bad, ", "good but ", "good bad nice but "])
def test_work_grows_linearly_with_the_text_where_the_package_grows_quadratically(words: str) -> None:
    ours = [executed_instructions(ENGINE.score, words * count) for count in (10, 20, 40, 80, 160)]

    assert all(longer < 2.2 * shorter for shorter, longer in pairwise(ours))
    theirs = [executed_instructions(PACKAGE.polarity_scores, words * count) for count in (20, 40)]
    assert theirs[1] > 2.6 * theirs[0]


def test_scores_are_the_same_bytes_in_processes_with_different_hash_seeds() -> None:
    program = (
        "from sentiment_platform_tests.text.adversarial import adversarial_texts\n"
        "from sentiment_platform.text.lexicon import stock_lexicon\n"
        "from sentiment_platform.text.vader import VaderEngine\n"
        "engine = VaderEngine(stock_lexicon())\n"
        "print([repr(engine.score(text)) for text in adversarial_texts(7, 1_000) for _ in range(2)])\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]

    assert len(outputs[0]) > 50_000
    assert outputs[0] == outputs[1]
