"""Symbols of what is traded: whatever a source writes, one spelling for one thing. Everything that takes a symbol reads it here.

`LMP-B` is a class of shares, `005930.KS` a share with the suffix of its exchange (none in the United States), `BTC-USD` crypto,
`EURUSD=X` two currencies and `USD=X` one, `^GSPC` an index. Reading the one spelling again gives it again. A bare word is taken for a
symbol: no reader can know which words are names. Not here: a single word (`symbol_spelling.py`), the names of exchanges (`exchanges.py`).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from sentiment_platform.exchanges import BY_CODE, BY_PREFIX
from sentiment_platform.symbol_spelling import QUOTES, SPELLING, at_exchange, exchange_before, of_word, pair, words

__all__ = ["LONGEST_TEXT", "QUOTES", "SPELLING", "SymbolsOfCell", "is_nothing", "symbol", "symbol_texts", "symbols"]

LONGEST_TEXT = 64
"""Characters that a person needs at most to write one symbol."""
MOST = 200
"""So many symbols are read of one cell."""

_NOTHING = frozenset(
    (
        "nan", "none", "null", "nil", "n/a", "na", "n.a", "n.a.", "n/d", "<na>", "#n/a", "#na", "nat", "undefined", "missing",
        "unknown", "unavailable", "not available", "not applicable", "not listed", "no ticker", "no symbol", "no data", "no value",
        "tbd", "tba", "empty", "blank", "void", "false", "\\n", "#value!", "#ref!", "#name?", "#null!", "0",
    )
)  # fmt: skip
_ALONE = words("NASDAQ NASDAQGS NASDAQGM NASDAQCM NYSE NYSEARCA NYSEAMERICAN NYSEMKT AMEX OTCMKTS OTCQB OTCQX EURONEXT XETRA")
"""Names of exchanges that are no symbols themselves: what stands beside a symbol without a colon."""
_CODES_ALONE = words("US UW UQ LN JP JT HK GY GR FP KS CT")
"""Codes of a terminal that name an exchange even where no word says what is traded."""
_FORMS = words("INC CORP LTD PLC LLC GMBH LIMITED CORPORATION INCORPORATED COMPANY HOLDINGS")
_KIND_OF_PAPER = re.compile(r"\s(equity|index|curncy|comdty|corp|crncy)\b\s*", re.IGNORECASE)
_TWO_WORDS = re.compile(r"(?i)\b(NYSE|NASDAQ|OTC)[ -](ARCA|AMERICAN|MKT|GS|GM|CM|MARKETS|PINK|QB|QX)\s*:")
_CLASS = re.compile(r"[A-Z](?:\.[A-Z]{1,4})?|WS|WT|UN|RT|PR?[A-Z]")
# Behind a blank only these two: JPM C is a list.
_BLANK_CLASS = re.compile(r"[AB](?:\.[A-Z]{1,4})?")
_LONGEST_NUMBER = 64
"""Bits; Python refuses to write very long numbers out."""
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
    for text in _texts(cell):
        one = _read(text) if len(text) <= LONGEST_TEXT * MOST else SymbolsOfCell((), (text[:LONGEST_TEXT],))
        known |= dict.fromkeys(one.symbols)
        left_out |= dict.fromkeys(one.left_out)
    inside = tuple(known)
    return SymbolsOfCell(inside[:MOST], (*left_out, *inside[MOST:]))


def symbol_texts(cell: object) -> tuple[str, ...]:
    """The texts of a cell that may be symbols, as they came, each once; `symbols` reads them."""
    return tuple(dict.fromkeys(piece for text in _texts(cell) for piece in _pieces(text[: LONGEST_TEXT * MOST])))


def is_nothing(text: str) -> bool:
    """Whether a text is a word for no value, such as `nan`, `None`, `N/A` or `-`, or has no letter and no digit."""
    bare = text.strip().strip("()[]{}'\"$").strip().casefold()
    return bare in _NOTHING or not any(character.isalnum() for character in bare)


def _texts(cell: object) -> Iterator[str]:
    if isinstance(cell, list | tuple | set):
        parts: list[Any] = list(cell)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  cells of any type
        for part in parts:
            yield from _texts(part)
    elif isinstance(cell, dict):
        named: dict[str, Any] = {str(name).lower(): value for name, value in cell.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        yield from _texts(next((named[name] for name in ("symbol", "ticker", "code") if name in named), None))
    elif isinstance(cell, float) and cell.is_integer():
        yield str(int(cell))
    elif isinstance(cell, int) and cell.bit_length() > _LONGEST_NUMBER:
        yield "<a long number>"
    elif cell is not None and not isinstance(cell, bool):
        yield str(cell)


@lru_cache(maxsize=50_000)
def _read(cell: str) -> SymbolsOfCell:
    known: list[str] = []
    left_out: list[str] = []
    for piece in _pieces(cell):
        inside = _piece(_TWO_WORDS.sub(r"\1\2:", re.sub(r"\s*:\s*", ":", piece)).strip(": "))
        known += inside or ()
        left_out += [piece] if inside is None else []
    return SymbolsOfCell(tuple(dict.fromkeys(known)), tuple(left_out))


def _pieces(cell: str) -> Iterator[str]:
    """What stands between commas and their kin. Blanks, slashes, dashes and parentheses have meanings of their own."""
    text = unicodedata.normalize("NFKC", re.sub(r"[\n\r\t\v\f\x1f]+", ",", cell)).replace("&amp;", "&")
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
    parts = piece.split()
    if len(parts) == 1 and re.fullmatch(r"[A-Z][a-z]{5,}", piece):
        return None  # a name
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
        if known and before.isalnum() and len(before) > 1 and _BLANK_CLASS.fullmatch(bare) and known[-1] == before:
            known[-1] = of_word(f"{before}-{bare}") or before
        elif known and bare in _CODES_ALONE and before not in _CODES_ALONE and "." not in known[-1]:
            known[-1] = at_exchange(known[-1], BY_CODE[bare]) or known[-1]
        elif (inside := _word(word.strip("()"))) is None:
            return None
        else:
            known += inside
    return known


def _word(word: str) -> list[str] | None:
    """A word without blanks: one symbol, or several between slashes."""
    parts = [part for part in word.split("/") if part]
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
