"""One spelling for every text, and the keys derived from it.

Here: what serving and training apply to a text before anything else, the folding that decides train or test, the content hash.
Not here: splitting into words (`tokens`), and anything that knows where a text came from (`news.identity`).
"""

import re
import unicodedata
from hashlib import sha256

# Ranges, not `unicodedata.category`: a hash must not change when Python brings a newer Unicode database.
# Controls that are not white space, lone surrogates, interlinear annotation, and Default_Ignorable_Code_Point of Unicode's
# DerivedCoreProperties: soft hyphen, zero-width and bidi marks, fillers, variation selectors, tags.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufff9-\ufffb"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Typographic quotes: VADER's words and the negations n't know the straight ones alone.
_QUOTES = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u02bc", "'") | dict.fromkeys("\u201c\u201d\u201e\u201f", '"'))
MOST_MARKS = 30
"""Combining marks in a row that are kept. No language needs more, and time to order them grows with their square (UAX 15, stream-safe text)."""
_MANY_MARKS = re.compile(rf"[^\w\s!-~]{{{MOST_MARKS + 1},}}")
"""Where more may stand: a mark is neither a letter nor a blank."""
_NON_WORD = re.compile(r"\W+")


def normalise(text: str) -> str:
    """The canonical spelling of a text: NFKC, nothing invisible, straight quotes, single blanks, no blanks at the ends, no towers of marks.

    Idempotent, and always encodable as UTF-8. Letters of other scripts that merely look alike are kept as they are.
    Source: Unicode Standard Annex 15 (NFKC).
    """
    if not (text.isascii() and text.isprintable()):
        # Removed first: a character that hides between a letter and its accent would stop them from being composed.
        visible = _MANY_MARKS.sub(_fewer_marks, _INVISIBLE.sub("", text))
        text = _MANY_MARKS.sub(_fewer_marks, unicodedata.normalize("NFKC", visible)).translate(_QUOTES)
    return " ".join(text.split())


def _fewer_marks(several: re.Match[str]) -> str:
    kept, run = list[str](), 0
    for character in several[0]:
        # Some marks that are none by themselves become several.
        run = run + 1 if unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) else 0
        if run <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def text_key(text: str) -> str:
    """What two texts share when they are the same but for case and punctuation: lower-case words, single blanks.

    The text is folded as given, without `normalise`.
    """
    return _NON_WORD.sub(" ", text.lower()).strip()


def split_bucket(text: str) -> int:
    """An integer in [0, 2**32) that depends on `text_key` alone; a text is in the test part iff it is divisible by 5.

    The first 8 hexadecimal digits of the key's SHA-256: the same on every machine, in every order, for every data set.
    """
    return int(_digest(text_key(text))[:8], 16)


def text_hash(text: str) -> str:
    """SHA-256 of the normalised text in UTF-8, 64 hexadecimal digits."""
    return _digest(normalise(text))


def _digest(text: str) -> str:
    # A lone surrogate has no UTF-8 form; text_key sees texts that were not normalised.
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
