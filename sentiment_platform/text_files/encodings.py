"""In which encoding a file is. Not UTF-8 and not UTF-16 is refused with samples, for a wrong guess is stored as nonsense.

cp1252 alone is guessed, where every letter that is not ASCII stands in a word of Latin letters as Western languages spell them.
"""

import codecs
import re
import unicodedata
from pathlib import Path

from sentiment_platform.text_files.kinds import require_text
from sentiment_platform.text_files.samples import BESIDE_WORDS, escapes_of, samples, torn
from sentiment_platform.text_files.written import TextFileError, Written

_CHUNK_BYTES = 1 << 20
_HEAD_BYTES = 4_096
KEPT_WORDS, MIN_ZEROS = 50, 4
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDER = {
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
}
"""What people mean by these names: what Windows writes under them, which has more characters."""
_INSIDE_WORDS = frozenset("’–—·\xad\xa0&'-")
_ALONE = frozenset("àèéìòóùúáíåöâêîôûÀÈÉÌÒÓÙÚÁÍÅÖÂÊÎÔÛ")
# What these are in cp1252 is a vowel, in cp1250 and cp1254 a consonant: beside a vowel they are hardly what cp1252 says.
_BEFORE_VOWELS = re.compile("[ÈèÌìØøÒòÙù][aeiouyáéíóúý]", re.IGNORECASE)
# Letters where Western languages do not have them: they are ones of other languages in another encoding.
_MISPLACED = re.compile(
    "õ(?!e)|ý|[aeyáéí]è|^è(?!res?$)|ì(?=.)|ã(?![oes]|$)"
    # Polish, and the Baltic languages
    "|ê(?=[dgjkwz])|[kwz]ê|iê(?!nc)|(?<![io])ë$|(?<!dé)[bfghjknsvz]à$|[âî]$|ç(?=[b-df-hj-np-tv-z])|iø$",
    re.IGNORECASE,
)
# A Latin letter that is not ASCII, alone, and an accent over it: no language writes that, but two ideographs of GB 2312 may look so.
_TWO_BYTES = re.compile(rb"(?<![A-Za-z\x80-\xff])[\xc3-\xca][\xa1-\xbf](?:\xcc[\xa1-\xbf]|\xcd[\xa1-\xaf])(?![A-Za-z])")
_ICELANDIC = frozenset("ÞþÐð")


def encoding_of(path: Path, written: Written) -> str:
    """The encoding to open `path` with: as stated, else found by reading the file once. A guess is noted in `written`.

    Raises:
        TextFileError: it cannot be read, is not in the stated encoding, or in none that is certain.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        require_text(path)
        found = _by_mark(head) or ("utf-8" if _decodes(path, "utf-8") else None)
        if written.encoding:
            return _stated(path, written.encoding, found)
        if found and (found != "utf-8" or not _is_something_else(path)):
            if _decodes(path, found):
                return found
            raise TextFileError(f"{path} begins like {found} and goes on otherwise.", remedy="Export it again as UTF-8.")
        return written.otherwise if written.otherwise and _is_nearly_ascii(path) else _guessed(path, written)
    except OSError as error:
        raise TextFileError(f"{path} cannot be read: {error.strerror}.", remedy="Check the path.") from error


def _by_mark(head: bytes) -> str | None:
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked or len(head) < 4:
        return marked
    # Of UTF-32 two bytes of four are zeros, side by side.
    zeros = [head[place::4].count(0) * 9 > len(head) * 2 for place in range(4)]
    if not all(zeros) and (zeros[2:] == [True, True] or zeros[:2] == [True, True]):
        return "utf-32-le" if zeros[3] else "utf-32-be"
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
    if found and found != "utf-8" and not stated.replace("-", "_").startswith(found[:5].replace("-", "_")):
        raise TextFileError(f"{path} has the mark of {found}, not of {stated}.", remedy="Leave --encoding out.")
    if found == "utf-8" and not stated.startswith("utf") and _is_surely_utf_8(path, stated):
        raise TextFileError(f"{path} is UTF-8; as {stated} it would be nonsense.", remedy="Leave --encoding out.")
    if found and found != "utf-8":
        return found
    has_controls = stated.startswith(("iso8859", "tis")) and _holds(path, range(0x80, 0xA0))
    fitting = [
        name for name in (stated, _WIDER.get(stated)) if name and not (has_controls and name == stated) and _decodes(path, name)
    ]
    if not fitting:
        raise TextFileError(f"{path} is not {stated}: it holds bytes that have no meaning there.", remedy=samples(path, _decodes))
    return fitting[0]


def _is_surely_utf_8(path: Path, stated: str) -> bool:
    """Whether a file that is UTF-8 cannot be `stated` too: a single byte fits everything, and two may be a character of both."""
    single = len(bytes(range(0xC0, 0x100)).decode(stated, "replace")) == 64
    return _holds(path, range(0x80, 0x100)) if single else _holds(path, range(0xE0, 0x100))


def _holds(path: Path, wanted: range) -> bool:
    """Whether the file holds one of these bytes."""
    others = bytes(byte for byte in range(256) if byte not in wanted)
    with path.open("rb") as file:
        return any(line.translate(None, others) for line in file)


def _guessed(path: Path, written: Written) -> str:
    words = None if _is_something_else(path) else _western_words(path)
    if words is None and (fault := torn(path)):
        raise TextFileError(fault, remedy="Set these lines right, or leave them out.")
    if words is None:
        raise TextFileError(f"{path} is not UTF-8, and its encoding cannot be told for certain.", remedy=samples(path, _decodes))
    written.guessed = words
    return "cp1252"


def _is_something_else(path: Path) -> bool:
    """Whether a file that UTF-8 can read is in another encoding: ASCII that stands for letters (ISO 2022, HZ, UTF-7), or a few Chinese words
    of two bytes each."""
    with path.open("rb") as file:
        names = {name for line in file for name in _others_of(line)}
    return any(_decodes(path, name) for name in names)


def _is_nearly_ascii(path: Path) -> bool:
    """Whether hardly a letter is not ASCII, as in a published set of English."""
    with path.open("rb") as file:
        foreign = sum(len(line.translate(None, bytes(range(128)))) for line in file)
    return foreign * 100 < path.stat().st_size


def _others_of(line: bytes) -> tuple[str, ...]:
    if line.isascii():
        return escapes_of(line)
    return ("gb2312",) if _TWO_BYTES.search(line) else ()


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
    if any(not character.isascii() and not character.isalpha() and character not in BESIDE_WORDS for character in word):
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
