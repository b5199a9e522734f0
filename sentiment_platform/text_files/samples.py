"""What a person is shown of a file whose encoding cannot be told: its first words in the readings that look most like words.

Nothing is decided here. Not here: which encodings are found or guessed (`encodings`).
"""

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

SAMPLE_CHARACTERS, SAMPLES = 40, 3
READINGS = (
    "cp1252",
    "cp1250",
    "cp1251",
    "gb18030",
    "cp932",
    "cp949",
    "big5",
    "euc_jp",
    "cp1253",
    "cp1254",
    "cp1257",
    "koi8_r",
    "cp1255",
    "cp1256",
    "cp874",
    "cp866",
    "iso8859_5",
    "mac_roman",
    "mac_cyrillic",
    "cp850",
)
"""The encodings of which samples are shown, where they fit; the usual ones first."""
_ESCAPED = ("iso2022_jp", "iso2022_kr", "hz", "utf_7")
BESIDE_WORDS = frozenset("‘’‚“”„‹›«»–—…•·€£¥¢§©®™°½¼¾‰\xa0\xad")
"""Signs that stand beside words."""
_VOWELS = {"CYRILLIC": "аеёиоуыэюяії", "GREEK": "αεηιουωάέήίόύώ", "LATIN": "aeiouy"}
_COMMON = (("gb2312", 0xD8), ("big5", 0xC9), ("cp932", 0x98))
"""In these encodings the ideographs of everyday texts come first: up to this leading byte."""
_FINALS = "ךםןףץ"
_SHOWN_NAMES = {"cp932": "shift_jis", "cp949": "euc_kr"}


def escapes_of(line: bytes) -> tuple[str, ...]:
    """The encodings whose escapes stand in a line of ASCII, and that it can be read in."""
    if b"\x1b$" in line or b"\x1b(" in line:
        return _ESCAPED[:2]
    if b"~{" in line and re.search(rb"~\{(?:[!-}][!-~])+~\}", line):
        return ("hz",)
    return ("utf_7",) if b"+" in line and any(map(_is_utf_7, re.findall(rb"\+[A-Za-z0-9+/]{3,}-?", line))) else ()


def _is_utf_7(run: bytes) -> bool:
    """Whether a plus and what follows stand for a letter of Western languages, or for a word of others; `+EPS` does not."""
    try:
        text = run.decode("utf-7")
    except UnicodeDecodeError:
        return False
    scripts = {unicodedata.name(character, "?").split()[0] for character in text}
    if len(text) < 3 and not (run.endswith(b"-") and all("\u00c0" <= character <= "\u017f" for character in text)):
        return False
    return len(scripts) == 1 and all(not character.isascii() and character.isalpha() for character in text)


def samples(path: Path, decodes: Callable[[Path, str], bool]) -> str:
    """The remedy: the first words that are not ASCII in the readings that fit best, and the option that says which is right."""
    with path.open("rb") as file:
        raw = next((line for line in file if not line.isascii() or escapes_of(line)), b"")
    names = escapes_of(raw) if raw.isascii() else READINGS
    read = {name: " ".join(raw.decode(name, "replace").split()) for name in names if decodes(path, name)}
    best = sorted(read, key=lambda name: _strangeness(read[name]))
    shown = "; ".join(f"{_SHOWN_NAMES.get(name, name)}: {_around(read[name])}" for name in _different(best, read))
    return f"Say which is right with --encoding: {shown or 'none of the usual encodings fits'}."


def torn(path: Path) -> str | None:
    """What is wrong with a file that is UTF-8 but for a few lines; None where it is none."""
    sound, broken = 0, list[int]()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.isascii():
                continue
            try:
                line.decode()
                sound += 1
            except UnicodeDecodeError:
                broken.append(number)
    if not broken or len(broken) > sound:
        return None
    lines = ", ".join(map(str, broken[:SAMPLES])) + (", ..." if len(broken) > SAMPLES else "")
    return f"{path} is UTF-8, but for {len(broken):,} of its lines ({lines})."


def _different(names: list[str], read: dict[str, str]) -> list[str]:
    """The first names with different texts: two that say the same are one choice."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(_around(read[name]), name)
    return list(kept.values())[:SAMPLES]


def _around(text: str) -> str:
    first = next((place for place, character in enumerate(text) if not character.isascii()), 0)
    start = max(0, first - SAMPLE_CHARACTERS // 4)
    return text[start : start + SAMPLE_CHARACTERS]


def _strangeness(text: str) -> float:
    """How far a reading is from words: signs among letters, capitals behind small letters, several scripts in one word, few vowels, rare
    ideographs."""
    strange, foreign = 0.0, sum(not character.isascii() for character in text)
    strange += sum(not c.isascii() and not c.isalpha() and c not in BESIDE_WORDS and not unicodedata.combining(c) for c in text)
    strange += sum(map(_rarity, text))
    for letters in re.findall(r"[^\W\d_]+", text):
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in letters}
        scripts = {"CJK" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else name for name in scripts}
        strange += 2 * (len(scripts) - 1) + len(re.findall(r"[a-zà-ÿа-яё][A-ZÀ-ÞА-ЯЁ]", letters))
        strange += len(re.findall(r"[À-ÿ]{3,}", letters)) * 2 + sum("HALFWIDTH" in unicodedata.name(c, "") for c in letters)
        strange += sum(letters[:-1].count(final) for final in _FINALS)
        vowels = _VOWELS.get(next(iter(scripts))) if len(scripts) == 1 and not letters.isascii() and len(letters) > 3 else None
        if vowels:
            plain = unicodedata.normalize("NFD", letters.lower())
            share = sum(letter in vowels for letter in plain) / len(letters)
            strange += 0 if 0.2 <= share <= 0.8 else len(letters) / 2
    return strange / max(foreign, 1)


def _rarity(character: str) -> float:
    """1 for an ideograph that few texts have, 0 for a common one and all else."""
    if not "\u4e00" <= character <= "\u9fff":
        return 0.0
    return 0.0 if any(_leads_below(character, name, first) for name, first in _COMMON) else 1.0


def _leads_below(character: str, encoding: str, first: int) -> bool:
    try:
        return character.encode(encoding)[0] < first
    except UnicodeEncodeError:
        return False
