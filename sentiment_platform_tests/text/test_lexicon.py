import subprocess
import sys
from pathlib import Path

import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from sentiment_platform.text.lexicon import Lexicon, LexiconError, read_lexicon, stock_lexicon


def test_the_stock_lexicon_is_the_packages_word_for_word() -> None:
    package = SentimentIntensityAnalyzer()

    assert dict(stock_lexicon().valences) == package.lexicon
    assert dict(stock_lexicon().emoji) == package.emojis


def test_reading_the_lexicon_imports_neither_the_package_nor_anything_heavy() -> None:
    program = (
        "import sys\n"
        "from sentiment_platform.text import explanation, lexical, normalise\n"
        "from sentiment_platform.text.lexicon import stock_lexicon\n"
        "assert stock_lexicon().valences\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout.split()

    assert "sentiment_platform.text.vader" in loaded
    assert not {"vaderSentiment", "requests", "numpy", "dagster", "torch"} & set(loaded)


def test_deltas_add_to_known_terms_and_introduce_new_ones_without_touching_the_original() -> None:
    original = Lexicon({"good": 1.9}, {"😀": "grinning face"})

    changed = original.with_deltas({"good": -0.4, "guidance": 0.2})

    assert dict(changed.valences) == {"good": pytest.approx(1.5), "guidance": 0.2}
    assert changed.emoji == original.emoji
    assert dict(original.valences) == {"good": 1.9}


def test_a_lexicon_cannot_be_changed_from_outside() -> None:
    valences = {"good": 1.9}
    lexicon = Lexicon(valences)
    valences["good"] = -4.0

    assert lexicon.valences["good"] == 1.9
    with pytest.raises(TypeError):
        lexicon.valences["good"] = 0.0


@pytest.mark.parametrize("term", ["Good", "net loss", "", " "])
def test_a_new_term_that_no_word_can_match_is_refused(term: str) -> None:
    with pytest.raises(LexiconError, match="No word can match"):
        Lexicon({}).with_deltas({term: 1.0})


def test_a_stock_term_of_two_words_may_still_get_a_delta() -> None:
    assert stock_lexicon().with_deltas({"fed up": 0.1}).valences["fed up"] == pytest.approx(-1.7)


@pytest.mark.parametrize("valence", [float("nan"), float("inf")])
def test_a_valence_that_is_not_finite_is_refused(valence: float) -> None:
    with pytest.raises(LexiconError, match="finite"):
        Lexicon({"good": 1.9}).with_deltas({"good": valence})


@pytest.mark.parametrize("line", ["good", "good\tvery"])
def test_a_malformed_line_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "vader_lexicon.txt").write_text(f"bad\t-2.5\n{line}\n", encoding="utf-8")

    with pytest.raises(LexiconError, match=r"Line 2 of .*vader_lexicon.txt.*Reinstall"):
        read_lexicon(tmp_path)


def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match="Reinstall"):
        read_lexicon(tmp_path)
