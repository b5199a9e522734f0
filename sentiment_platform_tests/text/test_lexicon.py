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


def test_a_lexicon_cannot_be_changed_from_outside() -> None:
    valences = {"good": 1.9}
    lexicon = Lexicon(valences)
    valences["good"] = -4.0

    assert lexicon.valences["good"] == 1.9
    with pytest.raises(TypeError):
        lexicon.valences["good"] = 0.0


@pytest.mark.parametrize("valence", [float("nan"), float("inf")])
def test_a_valence_that_is_not_finite_is_refused(valence: float) -> None:
    with pytest.raises(LexiconError, match="finite"):
        Lexicon({"good": valence})


@pytest.mark.parametrize("line", ["good", "good\tvery"])
def test_a_malformed_line_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "vader_lexicon.txt").write_text(f"bad\t-2.5\n{line}\n", encoding="utf-8")

    with pytest.raises(LexiconError, match=r"Line 2 of .*vader_lexicon.txt.*Reinstall"):
        read_lexicon(tmp_path)


def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match="Reinstall"):
        read_lexicon(tmp_path)
