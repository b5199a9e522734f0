"""On which exchange a symbol trades: its suffix says it, or its form. What neither says is unknown, and never New York by default."""

import re

from sentiment_platform.exchanges import BY_SUFFIX, INDICES, UNITED_STATES
from sentiment_platform.market.calendar import CRYPTO, CURRENCIES, UNKNOWN
from sentiment_platform.symbols import QUOTES

_AMERICAN = re.compile(r"[A-Z]{1,5}(-(WSA|[A-Z]{1,2}))?")
"""A share of the United States: one to five letters, and a class. Symbols of digits and longer ones are other exchanges'."""


def exchange_of(symbol: str) -> str:
    """The calendar (`market.calendar`) of a symbol in its one spelling: of its exchange, CRYPTO, CURRENCIES or UNKNOWN.

    A suffix names its exchange (`exchanges.py`). Without one, one to five letters with or without a class are a share of the United
    States; `EURUSD=X` and `USD=X` are currencies, `BTC-USD` is crypto, and an index has the exchange of its shares where it is well
    known. A future, another index, digits or more letters without a suffix, and a suffix that nobody knows say nothing.
    """
    if symbol.startswith("^") and "." not in symbol:
        return INDICES.get(symbol[1:], UNKNOWN)
    if symbol.endswith("=X"):
        return CURRENCIES
    head, dot, suffix = symbol.rpartition(".")
    if dot:
        exchange = BY_SUFFIX.get(suffix) if head else None
        return (exchange.calendar if exchange else "") or UNKNOWN
    base, dash, quote = symbol.rpartition("-")
    if dash and base and quote in QUOTES:
        return CRYPTO
    return UNITED_STATES.calendar if _AMERICAN.fullmatch(symbol) else UNKNOWN
