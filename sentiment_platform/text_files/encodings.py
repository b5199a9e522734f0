"""In which encoding a file is. Not UTF-8 and not UTF-16 is refused with samples, for a wrong guess is stored as nonsense.

cp1252 alone is guessed, where every letter that is not ASCII stands in a word of Latin letters as Western languages spell them.
"""

import codecs
import re
import unicodedata
from pathlib import Path

from sentiment_platform.text_files.written import TextFileError, Written

_CHUNK_BYTES = 1 << 20
_HEAD_BYTES = 4_096
SAMPLE_CHARACTERS, SAMPLES, KEPT_WORDS, MIN_ZEROS = 40, 3, 50, 4
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
READINGS = (
    "cp1252",
    "cp1250",
    "cp1251",
    "gb18030",
    "shift_jis",
    "euc_kr",
    "big5",
    "euc_jp",
    "cp1253",
    "cp1254",
    "koi8_r",
    "mac_roman",
    "cp850",
)
"""The encodings of which samples are shown, where they fit."""
_BESIDE_WORDS = frozenset("‘’‚“”„‹›«»–—…•·€£¥¢§©®™°½¼¾‰\xa0\xad")
_INSIDE_WORDS = frozenset("’–—·\xad\xa0&'-")
_ALONE = frozenset("àèéìòóùúáíåöâêîôûÀÈÉÌÒÓÙÚÁÍÅÖÂÊÎÔÛ")
# What these are in cp1252 is a vowel, in cp1250 and cp1254 a consonant: beside a vowel they are hardly what cp1252 says.
_BEFORE_VOWELS = re.compile("[ÈèÌìØøÒòÙù][aeiouyáéíóúý]", re.IGNORECASE)
# Letters where Western languages do not have them: they are Czech, Hungarian, Romanian or Turkish ones in another encoding.
_MISPLACED = re.compile("õ(?!e)|ý|[aeyáéí]è|^è(?!res?$)|ì(?=.)|ã(?![oes]|$)", re.IGNORECASE)
_ICELANDIC = frozenset("ÞþÐð")


def encoding_of(path: Path, written: Written) -> str:
    """The encoding to open `path` with: as stated, else found by reading the file once. A guess is noted in `written`.

    Raises:
        TextFileError: it cannot be read, is not in the stated encoding, or in none that is certain.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        found = _by_mark(head) or ("utf-8" if _decodes(path, "utf-8") else None)
        if written.encoding:
            return _stated(path, written.encoding, found)
        if found and (found != "utf-8" or not _is_escaped(path)):
            if _decodes(path, found):
                return found
            raise TextFileError(f"{path} begins like {found} and goes on otherwise.", remedy="Export it again as UTF-8.")
        return written.otherwise or _guessed(path, written)
    except OSError as error:
        raise TextFileError(f"{path} cannot be read: {error.strerror}.", remedy="Check the path.") from error


def _by_mark(head: bytes) -> str | None:
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked or len(head) < 4:
        return marked
    # Without a mark, UTF-16 of a file with ASCII in it is known by its zeros, which text of no other encoding has.
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) >= MIN_ZEROS and max(even, odd) * 5 > len(head) // 2 and min(even, odd) * 10 <= max(even, odd):
        return "utf-16-be" if even > odd else "utf-16-le"
    return None


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _stated(path: Path, stated: str, found: str | None) -> str:
    single = len(bytes(range(0xC0, 0x100)).decode(stated, "replace")) == 64 and not stated.startswith("utf")
    if found and found != "utf-8" and not stated.replace("-", "_").startswith(found[:5].replace("-", "_")):
        raise TextFileError(f"{path} has the mark of {found}, not of {stated}.", remedy="Leave --encoding out.")
    if found == "utf-8" and single and not _is_ascii(path):
        raise TextFileError(f"{path} is UTF-8; as {stated} it would be nonsense.", remedy="Leave --encoding out.")
    if not _decodes(path, stated):
        raise TextFileError(f"{path} is not {stated}: it holds bytes that have no meaning there.", remedy=_samples(path))
    return found if found and found != "utf-8" else stated


def _guessed(path: Path, written: Written) -> str:
    words = _western_words(path)
    if words is None:
        raise TextFileError(f"{path} is not UTF-8, and its encoding cannot be told for certain.", remedy=_samples(path))
    written.guessed = words
    return "cp1252"


def _is_ascii(path: Path) -> bool:
    with path.open("rb") as file:
        return all(line.isascii() for line in file)


def _is_escaped(path: Path) -> bool:
    """Whether the file is ASCII that stands for something else: Japanese, Korean or Chinese by escapes (ISO 2022)."""
    with path.open("rb") as file:
        return any(b"\x1b$" in line or b"\x1b(" in line for line in file)


def _western_words(path: Path) -> list[str] | None:
    """The words with letters or signs that are not ASCII, read as cp1252; None where they are no words of Western languages."""
    words: dict[str, None] = {}
    with path.open("rb") as file:
        for raw in file:
            if b"\0" in raw:
                return None
            if raw.isascii():
                if b"\x1b" in raw:
                    return None
                continue
            try:
                line = raw.decode("cp1252")
            except UnicodeDecodeError:
                return None
            for word in re.findall(r"[^\s,;|<>]*[^\x00-\x7f][^\s,;|<>]*", line.replace("\xa0", " ")):
                if not _is_western(word):
                    return None
                if len(words) < KEPT_WORDS:
                    words[word.strip("\"'().")] = None
    return list(words)


def _is_western(word: str) -> bool:
    if any(not character.isascii() and not character.isalpha() and character not in _BESIDE_WORDS for character in word):
        return False
    if re.search(r"[^\W\d_]([^\w\s]|_)(?=[^\W\d_])", word) and any(
        not sign.isascii() and sign not in _INSIDE_WORDS for sign in re.findall(r"(?<=[^\W\d_])([^\w\s])(?=[^\W\d_])", word)
    ):
        return False
    return all(_is_western_letters(letters) for letters in re.findall(r"[^\W\d_]+", word))


def _is_western_letters(letters: str) -> bool:
    foreign = [letter for letter in letters if not letter.isascii()]
    if not foreign or letters in _ALONE:
        return True
    return (
        len(foreign) < len(letters)
        and not re.search(r"[^\x00-\x7f]{3}", letters)
        and not re.search(r"[a-zß-öø-ÿœšž][A-ZÀ-ÖØ-ÞŒŠŽŸ]", letters.replace("Mc", "mc"))
        and not _BEFORE_VOWELS.search(letters)
        and not _MISPLACED.search(letters)
        and not _ICELANDIC.intersection(foreign)
        and all("LATIN" in unicodedata.name(letter, "") for letter in foreign)
        and not {"ƒ", "ª", "º", "µ", "ˆ"}.intersection(foreign)
    )


def _samples(path: Path) -> str:
    """The remedy: the first words that are not ASCII in the readings that fit best, and the option that says which is right."""
    with path.open("rb") as file:
        raw = next((line for line in file if not line.isascii() or b"\x1b" in line), b"")
    fitting = [name for name in (*READINGS, "iso2022_jp", "iso2022_kr") if _decodes(path, name)]
    if b"\x1b" in raw:
        fitting = [name for name in fitting if name.startswith("iso2022")] or fitting
    read = {name: " ".join(raw.decode(name, "replace").split()) for name in fitting}
    best = sorted(read, key=lambda name: _strangeness(read[name]))[:SAMPLES]
    shown = "; ".join(f"{name}: {_around(read[name])}" for name in best) or "none of the usual encodings fits"
    return f"Say which is right with --encoding: {shown}."


def _around(text: str) -> str:
    first = next((place for place, character in enumerate(text) if not character.isascii()), 0)
    start = max(0, first - SAMPLE_CHARACTERS // 4)
    return text[start : start + SAMPLE_CHARACTERS]


def _strangeness(text: str) -> float:
    """How far a reading is from words: signs among letters, capitals behind small letters, several scripts in one word."""
    strange, foreign = 0, sum(not character.isascii() for character in text)
    strange += sum(not c.isascii() and not c.isalpha() and c not in _BESIDE_WORDS for c in text)
    for letters in re.findall(r"[^\W\d_]+", text):
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in letters}
        scripts = {"CJK" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else name for name in scripts}
        strange += 2 * (len(scripts) - 1) + len(re.findall(r"[a-zà-ÿа-яё][A-ZÀ-ÞА-ЯЁ]", letters))
        strange += len(re.findall(r"[À-ÿ]{3,}", letters)) * 2 + sum("HALFWIDTH" in unicodedata.name(c, "") for c in letters)
    return strange / max(foreign, 1)
