"""The package `vaderSentiment` as the reference of the engine, before and after its rounding."""

import csv
import os
from pathlib import Path

import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer, normalize

from sentiment_platform.text.vader import VaderScore

_REPOSITORY = Path(__file__).parents[2]


class UnroundedAnalyzer(SentimentIntensityAnalyzer):
    """The package's own rules and sums; only its last step, the rounding, is left out."""

    def score_valence(self, sentiments, text):
        if not sentiments:
            return VaderScore(0.0, 0.0, 0.0, 0.0)
        total = float(sum(sentiments))
        emphasis = self._punctuation_emphasis(text)
        total += emphasis if total > 0 else -emphasis if total < 0 else 0.0
        positive, negative, neutral = self._sift_sentiment_scores(sentiments)
        if positive > abs(negative):
            positive += emphasis
        elif positive < abs(negative):
            negative -= emphasis
        size = positive + abs(negative) + neutral
        return VaderScore(normalize(total), positive / size, abs(negative) / size, neutral / size)


def rounded(score: VaderScore) -> dict[str, float]:
    """Our score in the package's shape and precision."""
    return {
        "neg": round(score.negative, 3),
        "neu": round(score.neutral, 3),
        "pos": round(score.positive, 3),
        "compound": round(score.compound, 4),
    }


def figures(score: VaderScore) -> tuple[float, float, float, float]:
    return score.compound, score.positive, score.negative, score.neutral


def labelled_texts() -> dict[str, list[str]]:
    """Every text of the three labelled sets, by set; skips the test where the data is missing."""
    configured = Path(os.environ.get("SENTIMENT_SHARED_DATA", "../shared/data"))
    folder = (configured if configured.is_absolute() else _REPOSITORY / configured) / "labelled"
    if not folder.is_dir():
        pytest.skip(f"no labelled data at {folder}; point SENTIMENT_SHARED_DATA at it")
    phrasebank = (folder / "phrasebank/Sentences_50Agree.txt").read_text(encoding="latin-1").split("\n")
    return {
        "phrasebank": [line.rsplit("@", 1)[0] for line in phrasebank if line.strip()],
        "sentfin": _column(folder / "sentfin/SEntFiN.csv", "Title"),
        "tfns": _column(folder / "tfns/tfns_train_9543.csv", "text"),
    }


def _column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as lines:
        return [row[name] for row in csv.DictReader(lines)]
