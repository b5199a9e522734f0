"""Symbols of what is traded: whatever a source writes, one spelling for one thing. Everything that takes a symbol reads it here.

`LMP-B` is a class of shares, `005930.KS` a share with the suffix of its exchange (none in the United States), `BTC-USD` crypto,
`EURUSD=X` two currencies and `USD=X` one, `^GSPC` an index. Reading the one spelling again gives it again. A bare word is taken for a
symbol: no reader can know which words are names. Not here: cells that are no text (`symbol_cells.py`), a single word
(`symbol_spelling.py`), the names of exchanges (`exchanges.py`).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from sentiment_platform.exchanges import BY_CODE, BY_LONG_NAME, BY_PREFIX
from sentiment_platform.symbol_cells import LONGEST_TEXT, MOST, texts_of
from sentiment_platform.symbol_spelling import QUOTES, SPELLING, at_exchange, exchange_before, of_word, pair, words

__all__ = ["LONGEST_TEXT", "QUOTES", "SPELLING", "SymbolsOfCell", "is_nothing", "symbol", "symbol_texts", "symbols"]

_NOTHING = frozenset(
    (
        "nan", "none", "null", "nil", "n/a", "na", "n.a", "n.a.", "n/d", "<na>", "#n/a", "#na", "nat", "undefined", "missing",
        "unknown", "unavailable", "not available", "not applicable", "not listed", "no ticker", "no symbol", "no data", "no value",
        "none listed", "not traded", "unlisted", "delisted", "private", "private company", "various", "multiple", "0.0", "-1",
        "tbd", "tba", "empty", "blank", "void", "false", "\\n", "#value!", "#ref!", "#name?", "#null!", "0",
    )
)  # fmt: skip
_ALONE = words("NASDAQ NASDAQGS NASDAQGM NASDAQCM NYSE NYSEARCA NYSEAMERICAN NYSEMKT AMEX OTCMKTS OTCQB OTCQX EURONEXT XETRA")
"""Names of exchanges that are no symbols themselves: what stands beside a symbol without a colon."""
_CODES_ALONE = words("US UW UQ LN JP JT HK GY GR FP KS CT")
"""Codes of a terminal that name an exchange even where no word says what is traded."""
_FORMS = words("INC CORP LTD PLC LLC GMBH LIMITED CORPORATION INCORPORATED COMPANY HOLDINGS")
_KIND_OF_PAPER = re.compile(r"\s(equity|index|curncy|comdty|corp|crncy)\b\s*", re.IGNORECASE)
_LONG_NAME = re.compile(rf"(?i)\b({'|'.join(sorted(BY_LONG_NAME, key=len, reverse=True)).replace(' ', '[ -]')}):")
_NAME_BEHIND = re.compile(r"\$?([A-Z][A-Z0-9.]{0,9})(?: -|:) ?(?=\S*[a-z])(.*[a-z].*)")
_CODES_OF_ONE = words("UN UR UP UV")
"""Codes of a terminal that are symbols too: behind one symbol, and nothing else in the cell, they name its exchange."""
_WRAPPED = re.compile(r"(?:array|frozenset|set|list|tuple|Index)\((.*?)(?:,\s*dtype=[^)]*)?\)")
_AFTER_COMMA = re.compile(r",\s*(?=(?:Inc|Corp|Ltd|Llc|LLC|PLC|Plc|plc|Co|N\.V|S\.A|AG|SE)\b)")
_CLASS = re.compile(r"[A-Z](?:\.[A-Z]{1,4})?|WS|WT|UN|RT|PR?[A-Z]")
# Behind a blank only these two: JPM C is a list.
_BLANK_CLASS = re.compile(r"[AB](?:\.[A-Z]{1,4})?")
_WITHOUT_CLASS = re.compile(r"(?:[A-Z]+:)?[A-Z0-9]{2,}")
_INVISIBLE = {"Cf", "Cc", "Cs"}


class SymbolsOfCell(NamedTuple):
    """The symbols of a cell, each once and in their order, and the texts in it that are no symbol; words for nothing are in neither."""

    symbols: tuple[str, ...]
    left_out: tuple[str, ...]


def symbol(text: object) -> str | None:
    """The one spelling of the one symbol that `text` holds; None for nothing, for what is no symbol, and for several."""
    known, left_out = symbols(text)
    return known[0] if len(known) == 1 and not left_out else None


def symbols(cell: object) -> SymbolsOfCell:
    """The symbols of a cell: a text with any separator, a list, an object with a symbol in it, or nothing."""
    known: dict[str, None] = {}
    left_out: dict[str, None] = {}
    for text in texts_of(cell):
        one = _read(text) if len(text) <= LONGEST_TEXT * MOST else SymbolsOfCell((), (text[:LONGEST_TEXT],))
        known |= dict.fromkeys(one.symbols)
        left_out |= dict.fromkeys(one.left_out)
    inside = tuple(known)
    return SymbolsOfCell(inside[:MOST], (*left_out, *inside[MOST:]))


def symbol_texts(cell: object) -> tuple[str, ...]:
    """The texts of a cell that may be symbols, as they came, each once; `symbols` reads them."""
    return tuple(dict.fromkeys(piece for text in texts_of(cell) for piece in _pieces(text[: LONGEST_TEXT * MOST])))


def is_nothing(text: str) -> bool:
    """Whether a text is a word for no value, such as `nan`, `None`, `N/A` or `-`, or has no letter and no digit."""
    bare = text.strip().strip("()[]{}'\"$").strip().casefold()
    return bare in _NOTHING or not any(character.isalnum() for character in bare)


@lru_cache(maxsize=50_000)
def _read(cell: str) -> SymbolsOfCell:
    known: list[str] = []
    left_out: list[str] = []
    for piece in _pieces(cell):
        inside = _named_behind(piece) or _piece(_with_codes(re.sub(r"\s*:\s*", ":", piece)).strip(": "))
        known += inside or ()
        left_out += [piece] if inside is None else []
    return SymbolsOfCell(tuple(dict.fromkeys(known)), tuple(left_out))


def _with_codes(piece: str) -> str:
    """Names of exchanges with several words before a colon, as one."""
    return _LONG_NAME.sub(lambda name: f"{_prefix_of(name[1])}:", piece)


def _prefix_of(name: str) -> str:
    return BY_LONG_NAME[name.upper().replace("-", " ")].prefixes.split()[0]


def _named_behind(piece: str) -> list[str] | None:
    """The symbol before the name of its company: `LAMP - Lampworks plc`, `LAMP: Lampworks`."""
    match = _NAME_BEHIND.fullmatch(piece)
    if match is None or exchange_before(match[1], match[2]) or re.fullmatch(r"[A-Z]+[a-z]?", match[2].strip()):
        return None
    return _one(of_word(match[1]))


def _pieces(cell: str) -> Iterator[str]:
    """What stands between commas and their kin. Blanks, slashes, dashes and parentheses have meanings of their own."""
    cell = re.sub("[\u00ab\u00bb\u2122\u00ae\u00a9]", "", _WRAPPED.sub(r"\1", cell))
    text = unicodedata.normalize("NFKC", re.sub(r"[\n\r\t\v\f\x1f]+", ",", cell)).replace("&amp;", "&")
    text = re.sub(r"(?<=\w)[+~](?=[\w$])|(?<=\w)(?=\$\w)", ",", _AFTER_COMMA.sub(" ", text))
    text = re.sub("[\u2010-\u2015\u2212]", "-", "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE))
    for raw in re.split(r"[,;|\u3001\u00b7\u2022]", re.sub(r"[\[\]{}'\"`\u2018\u2019\u201c\u201d]", "", text)):
        piece = " ".join(raw.split())
        if not is_nothing(piece):
            yield piece


def _piece(piece: str) -> list[str] | None:
    """The symbols of a text without separators but blanks and slashes; None where a part of it is none."""
    bracket = re.fullmatch(r"([^()]*)\(([^()]*)\)([^()]*)", piece)
    if bracket:
        return _with_parentheses(*(part.strip() for part in bracket.groups()))
    if "(" in piece or ")" in piece:
        return _piece(re.sub(r"[()]", " ", piece).strip())
    terminal = _KIND_OF_PAPER.split(f"{piece} ")
    if len(terminal) > 1:
        return _of_terminal(terminal)
    piece = re.sub(r"(?<=[A-Z]) (?:PR|PFD|p) ([A-Z])$", r"-P\1", piece)
    parts = piece.split()
    if len(parts) == 1 and (piece == "True" or re.fullmatch(r"[A-Z][a-z]{5,}", piece)):
        return None  # a name, or a truth
    code = parts[1].upper() if len(parts) == 2 else ""
    if code in _CODES_OF_ONE or (code in BY_CODE and parts[0].isdigit()):
        return _one(at_exchange(parts[0].replace("/", "-"), BY_CODE[code]))
    if len(parts) > 1 and (parts[-1].upper().rstrip(".") in _FORMS or any(re.fullmatch(r"[A-Z][a-z]{2,}\.?", p) for p in parts)):
        return None  # the name of a company
    return _words(parts)


def _with_parentheses(head: str, inside: str, behind: str) -> list[str] | None:
    """`LAMP (NASDAQ)`, `(NYSE:LAMP)`, `Lampworks plc (LAMP)`."""
    if behind:
        return _joined(_with_parentheses(head, inside, ""), _piece(behind))
    if is_nothing(inside) or not head:
        return _piece(head or inside)
    name = re.sub(r"[^A-Z0-9]", "", inside.upper())
    if exchange_before(name, head):
        return _one(of_word(f"{name}:{head}")) if " " not in head else _piece(head)
    if ":" in inside or " " in head or not head.isupper():
        return _piece(inside)
    return _joined(_piece(head), _piece(inside))


def _of_terminal(parts: list[str]) -> list[str] | None:
    """`LMP/B US Equity`, `SPX Index`, `EURUSD Curncy`: texts and the word behind each in turn."""
    known: list[str] | None = []
    for text, kind in zip(parts[::2], [*map(str.lower, parts[1::2]), ""], strict=True):
        named = text.split()
        if not named:
            continue
        if kind == "index" and len(named) == 1:
            known = _joined(known, _one(of_word(f"INDEX:{named[0]}")))
        elif kind in ("curncy", "crncy") and len(named) == 1:
            known = _joined(known, _one(of_word(f"FX:{named[0]}")))
        elif kind == "equity" and len(named) > 1 and (exchange := BY_CODE.get(named[-1].upper())):
            known = _joined(known, _one(at_exchange("-".join(named[:-1]).replace("/", "-"), exchange)))
        elif named[-1].upper() == "CH" and kind == "equity":  # China, without saying which of the two
            known = _joined(
                known, _one(at_exchange(named[0], BY_PREFIX["SHA" if named[0].startswith(("5", "6", "9")) else "SHE"]))
            )
        else:
            known = _joined(known, _words(named) if kind in ("", "equity") else None)
    return known


def _words(parts: list[str]) -> list[str] | None:
    known: list[str] = []
    for number, word in enumerate(parts):
        bare = word.strip("()$#@").upper()
        before = parts[number - 1].strip("()$#@").upper() if number else ""
        if is_nothing(word) or bare in _ALONE or word in ("and", "or", "und"):
            continue
        if known and _WITHOUT_CLASS.fullmatch(before) and _BLANK_CLASS.fullmatch(bare) and (known[-1] == before or ":" in before):
            known[-1] = of_word(f"{before}-{bare}") or known[-1]
        elif known and bare in _CODES_ALONE and before not in _CODES_ALONE and "." not in known[-1]:
            known[-1] = at_exchange(known[-1], BY_CODE[bare]) or known[-1]
        elif (inside := _word(word.strip("()"))) is None:
            return None
        else:
            known += inside
    return known


def _word(word: str) -> list[str] | None:
    """A word without blanks: one symbol, or several between slashes."""
    word = re.sub(r"^([A-Za-z]+)/([A-Za-z]):(?=[A-Za-z]+$)", r"\1-\2:", word)
    parts = [part for part in word.split("/") if part]
    if len(parts) == 2 and parts[0].upper() in _ALONE:
        parts = [":".join(parts)]
    if len(parts) < 2:
        return _one(of_word(parts[0])) if parts else []
    if word.count(":") == 1 and ":" in parts[0] and (len(parts) == 2):
        prefix, _, first = parts[0].partition(":")
        if prefix.upper() in ("C", "FOREX", "FX", "X", "CRYPTO") or _CLASS.fullmatch(parts[1].upper()):
            return _one(of_word(f"{prefix}:{first}-{parts[1]}"))
    if len(parts) == 2 and (two := pair(parts[0].upper().strip("$"), parts[1].upper())):
        return [two]
    joined: list[str] = []
    for part in parts:
        if joined and _CLASS.fullmatch(part.upper()) and len(joined[-1].strip("$")) > 1:
            joined[-1] = f"{joined[-1]}-{part}"
        else:
            joined.append(part)
    known: list[str] | None = []
    for part in joined:
        known = _joined(known, _one(of_word(part)) if not is_nothing(part) else [])
    return known


def _one(known: str | None) -> list[str] | None:
    if known is None or known in _ALONE or is_nothing(known):
        return None
    # Of digits alone, only as many as exchanges give: a count or a rank is no symbol.
    return None if known.isdigit() and not 4 <= len(known) <= 6 else [known]


def _joined(some: list[str] | None, others: list[str] | None) -> list[str] | None:
    return None if some is None or others is None else some + others
