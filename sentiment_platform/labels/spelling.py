"""What the label of a row means: the words that are known, and what a person said of numbers and other names (`--labels`).

Published sets number their classes, each in another order. So a number means nothing until somebody says what, but for -1, 0 and 1
in a file that holds -1. Not here: reading files (`importers`, `tools`).
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from sentiment_platform.errors import PermanentError
from sentiment_platform.text.sentiment import LABELS, Label

SKIP = "skip"
"""What `--labels` says of a name whose rows are to be left out."""

_SPELLINGS: Mapping[Label, str] = {
    "negative": "negative neg bearish negativ negativo negativa négatif négative negatief negatywny negatywna negativní negatív negatif olumsuz "
    "отрицательный отрицательная негативный негативная негатив 负面 負面 消极 消極 ネガティブ 否定的 부정 부정적 αρνητικό سلبي",
    "neutral": "neutral neu neutro neutra neutre neutrale neutraal neutralny neutralna neutrální semleges nötr нейтральный нейтральная "
    "нейтрально 中性 中立 ニュートラル 중립 중립적 ουδέτερο محايد",
    "positive": "positive pos bullish positiv positivo positiva positif positief pozytywny pozytywna pozitivní pozitív pozitif olumlu "
    "положительный положительная позитивный позитивная позитив 正面 积极 積極 ポジティブ 肯定的 긍정 긍정적 θετικό إيجابي",
}
WORDS: Mapping[str, Label] = {word: label for label, words in _SPELLINGS.items() for word in words.split()}
"""The words that are known, in the languages in which sets are published; in lower case."""
SIGNED: Mapping[str, Label] = {"-1": "negative", "0": "neutral", "1": "positive"}
"""What numbers mean in a file that holds -1, and no number beside these."""

SHOWN_NUMBERS = 12
_NUMBERED = re.compile(
    r"(?:(?:label|class|cls|category|cat|sentiment|polarity|score|rating|stars?|grade|level|target|tag|id|[a-z])[\s_:#.-]*?)??"
    r"([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d+)?)"
    r"(?:\s*(?:stars?|points?|/\s*\d+|[*★⭐]))?"
)
_STARS = re.compile(r"([*★⭐]\ufe0f?)+[☆✩]*|[☆✩]+")
_AROUND = " .!\"'[]()"
_MINUS = str.maketrans("−–﹣－", "----")


def parse_labels(text: str) -> dict[str, str]:
    """`0=negative,1=neutral,2=positive`: name in the file -> label, or SKIP; `LABEL_0` and `0.0` are named by `0` too.

    Raises:
        PermanentError: what stands there is no such pair, or one name has two meanings.
    """
    meanings: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, separator, label = pair.rpartition("=")
        name, meaning = _name(name), WORDS.get(label.strip().lower(), label.strip().lower())
        if not separator or not name or meaning not in (*LABELS, SKIP) or meanings.get(name, meaning) != meaning:
            raise PermanentError(
                f"The labels cannot use {pair!r}.", remedy=f"Write name=label,...; a label is {', '.join(LABELS)}, or {SKIP}."
            )
        meanings[name] = meaning
    return meanings


def meanings_of(path: Path, names: Iterable[str], said: Mapping[str, str]) -> dict[str, str]:
    """Each label as it is spelled in the file -> what it means: a label, SKIP, or itself where it is an unknown word.

    Raises:
        PermanentError: labels are numbers, and nothing says what they mean. The file is refused whole: what can be read of it would
            be a part of its classes, or the wrong ones.
    """
    every = {name: _name(name) for name in names}
    numbers = {key for name, key in every.items() if key not in said and _number(name) is not None}
    signed = SIGNED if "-1" in every.values() and numbers <= SIGNED.keys() else {}
    known = {**WORDS, **signed, **said}
    if unknown := sorted({name.strip() for name, key in every.items() if key in numbers and key not in known}):
        shown = ", ".join(unknown[:SHOWN_NUMBERS]) + (", ..." if len(unknown) > SHOWN_NUMBERS else "")
        asked = ",".join(f"{name}=..." for name in unknown[:SHOWN_NUMBERS])
        raise PermanentError(
            f"{path} has labels that are numbers ({shown}), and every set numbers its classes in another order.",
            remedy=f"Say what each means, as its publisher does: --labels {asked} with {', '.join(LABELS)}, or {SKIP}.",
        )
    return {name: known.get(key, name) for name, key in every.items()}


def require_signed(path: Path, scores: Iterable[float], said: Mapping[str, str]) -> None:
    """Scores that stand in for labels go from -1 to 1: some are below 0 and none is beyond, or somebody said so by naming -1.

    Raises:
        PermanentError: they seem to be of another scale, on which 0 is no middle.
    """
    numbers = set(scores)
    if numbers and "-1" not in said and (min(numbers) >= 0 or max(map(abs, numbers)) > 1):
        raise PermanentError(
            f"{path} has scores from {min(numbers):g} to {max(numbers):g}; labels are made of scores from -1 to 1.",
            remedy="Classes or stars: --map label=COLUMN and --labels 1=negative,... Another scale: bring it to -1 to 1. "
            "If these are on it: --labels -1=negative,0=neutral,1=positive says so.",
        )


def _name(text: str) -> str:
    """One spelling for a label: a number without what surrounds it, else the words in lower case."""
    number = _number(text)
    return " ".join(text.split()).lower().strip(_AROUND) if number is None else number


def _number(text: str) -> str | None:
    """The number that a label is, or is named by, in its shortest form; None where it is none."""
    folded = " ".join(text.split()).lower().translate(_MINUS)
    if _STARS.fullmatch(folded):
        return str(sum(folded.count(star) for star in "*★⭐"))
    numbered = _NUMBERED.fullmatch(folded)
    if numbered is None:
        return None
    digits = numbered[1].replace(",", ".")
    # In `class-1` the hyphen only joins: a minus stands alone, or behind a sign or a blank.
    if digits.startswith("-") and folded[: numbered.start(1)][-1:].isalpha():
        digits = digits[1:]
    value = float(digits)
    return str(int(value)) if value.is_integer() else str(value)
