"""One word that should be a symbol, into the one spelling; or into several, or into nothing, where it says so.

Here: exchanges before and behind a symbol, classes of shares, pairs of currencies, crypto, indices. Not here: cells with several words
(`symbols.py`), the names of exchanges (`exchanges.py`).
"""

import re

from sentiment_platform.exchanges import BY_CODE, BY_COUNTRY, BY_PREFIX, BY_TAIL, CODES_AS_TAILS, Exchange


def words(text: str) -> frozenset[str]:
    """The words of a text, for tables that would else be columns of quotes."""
    return frozenset(text.split())


LONGEST = 24
"""Characters of the longest symbol in its one spelling."""
SPELLING = rf"[A-Z0-9^][A-Z0-9.^=&-]{{0,{LONGEST - 1}}}"
"""What the one spelling looks like, as a regular expression."""
MONEY = words(
    "USD EUR GBP JPY CHF AUD NZD CAD CNY CNH HKD SGD KRW INR SEK NOK DKK PLN CZK HUF RON TRY ZAR BRL MXN CLP COP ARS PEN ILS SAR AED"
    " THB IDR MYR PHP TWD VND RUB UAH KZT PKR EGP NGN XAU XAG XPT XPD"
)
"""Currencies by ISO 4217, metals among them."""
QUOTES = MONEY | {"USDT", "USDC", "BUSD", "BTC", "ETH"}
"""In what crypto is quoted: currencies, coins that stand for a dollar, and the two in which other coins have a price."""

_COINS = words(
    "BTC ETH XRP SOL BNB DOGE ADA TRX AVAX SHIB DOT LINK BCH LTC NEAR MATIC POL UNI ICP APT ETC XLM XMR ATOM HBAR FIL ARB OP SUI"
    " PEPE TON ALGO VET AAVE MKR EOS XTZ DASH ZEC USDT USDC"
)
_SAME_COIN = {"XBT": "BTC"}
_CRYPTO = words("CRYPTO CC X BINANCE COINBASE BITSTAMP KRAKEN BITFINEX BYBIT OKX GEMINI CRYPTOCAP COIN")
_CURRENCIES = words("FOREX C FX CUR CCY CURRENCY OANDA FXCM FOREXCOM FX_IDC FXIDC IDC")
_INDICES = words("I INDEX INDEXSP INDEXDJX INDEXNASDAQ INDEXCBOE INDEXRUSSELL SP DJ")
_SHARES = words("STOCK STOCKS EQUITY SHARE TICKER SYMBOL EQ")

_BASE = re.compile(r"[A-Z0-9][A-Z0-9&]{0,19}")
_INDEX = re.compile(r"\^[A-Z0-9](?:[A-Z0-9.-]{0,18}[A-Z0-9])?")
_FUTURE = re.compile(r"[A-Z0-9]{1,8}=F")
_UNKNOWN_EXCHANGE = re.compile(r"[A-Z]{2,5}")
# Of a class: one letter; of other papers: preferred shares by their letter, warrants, units, rights, what is when issued.
_CLASS = re.compile(r"[A-Z]|WSA?|UN?|RT?|WT|W[ID]|CL|P[A-Z]")
_SAME_CLASS = {"WT": "WS", "UN": "U", "RT": "R"}
_PREFERRED = re.compile(r"(?P<base>[A-Z0-9][A-Z0-9&]{0,5})(?:[./_-]PR?[./_-]|[./_-]PR|\^)(?P<letter>[A-Z])")
# How Reuters and the consolidated tape write classes and preferred shares: by a small letter.
_SMALL_CLASS = re.compile(r"(?P<base>[A-Z]{2,5})(?P<letter>[a-d])(?P<tail>\.[A-Z]{1,3})?")
_SMALL_PREFERRED = re.compile(r"(?P<base>[A-Z]{2,5})p(?P<letter>[A-Z])")
# What has the form of a symbol and is a name of another kind: an ISIN, an option, an LEI, a CUSIP, a number of the SEC.
_OTHER_NAME = re.compile(
    r"[A-Z]{2}[A-Z0-9]{9}[0-9]|[A-Z]{1,6}[0-9]{6}[CP][0-9]{8}|[A-Z0-9]{18}[0-9]{2}|[0-9]{3}[A-Z0-9]{5}[0-9]|CIK[0-9]{4,10}"
)
# An exchange before a symbol without a colon, as China's and other brokers write it.
_EXCHANGE_FIRST = re.compile(
    r"(?P<name>SH|SZ|SHSE|SZSE)[._]?(?P<digits>[0-9]{6})|(?P<hk>HK)[._]?(?P<few>[0-9]{4,5})"
    r"|(?P<named>US|NYSE|NASDAQ|AMEX|XNAS|XNYS)[._](?P<rest>[A-Z]{2,}(?:[.-][A-Z])?)"
)


def of_word(word: str) -> str | None:
    """The one spelling of a word without blanks and slashes that may stand behind a prefix, or None where it is no symbol."""
    prefix, colon, rest = word.partition(":")
    if not colon:
        return _plain(word)
    name = re.sub(r"[^A-Z0-9_]", "", prefix.upper())
    rest = rest.lstrip("$")
    if name in _CRYPTO:
        return crypto(rest.upper())
    if name in _CURRENCIES:
        return currency(rest.upper()) or crypto(rest.upper(), coins=_COINS)
    if name in _INDICES:
        return _spelled("^" + rest.upper().lstrip("^."))
    if name in _SHARES:
        return of_word(rest)
    exchange = exchange_before(name, rest) or BY_COUNTRY.get(name)
    if exchange:
        return at_exchange(rest, exchange)
    behind = BY_CODE.get(rest.upper()) or BY_PREFIX.get(rest.upper()) or BY_COUNTRY.get(rest.upper())
    return at_exchange(prefix, behind) if behind else None


def exchange_before(name: str, rest: str) -> Exchange | None:
    """The exchange that a prefix names; `TSE` is Tokyo before digits, and Toronto else."""
    if name == "TSE":
        return BY_PREFIX["TYO" if rest[:1].isdigit() else "TSX"]
    return BY_PREFIX.get(name)


def at_exchange(word: str, exchange: Exchange) -> str | None:
    """A symbol that is traded at `exchange`, unless its own suffix says more."""
    known = _plain(word)
    if known is None or "." in known or known.startswith("^") or "=" in known:
        return known
    if exchange.suffix in ("NS", "BO"):  # India's series of trading is no part of a symbol
        known = re.sub(r"-(?:EQ|BE|BZ)$", "", known)
    return _spelled(_filled(known, exchange) + (f".{exchange.suffix}" if exchange.suffix else ""))


def pair(one: str, other: str) -> str | None:
    """Two words between which a slash, a dash or nothing stands: currencies, or crypto and what it is quoted in."""
    one, other = _SAME_COIN.get(one, one), _SAME_COIN.get(other, other)
    if one in MONEY and other in MONEY:
        return f"{one}{other}=X" if one != other else None
    if other in ("BTC", "ETH") and one not in _COINS - {other}:
        return None
    return f"{one}-{other}" if other in QUOTES and _BASE.fullmatch(one) else None


def crypto(word: str, coins: frozenset[str] | None = None) -> str | None:
    """`BTC`, `BTCUSD` or `BTC-USD` as crypto, in dollars where nothing else is said; only these `coins`, where they are given."""
    word = re.sub(r"[/_-]", "", word)
    for quote in sorted(QUOTES, key=len, reverse=True):
        base = word.removesuffix(quote)
        among = _COINS if quote in ("BTC", "ETH") else coins
        if base and base != word and (among is None or _SAME_COIN.get(base, base) in among):
            return pair(base, quote)
    alone = _SAME_COIN.get(word, word)
    return pair(alone, "USD") if coins is None or alone in coins else None


def currency(word: str) -> str | None:
    """`USD` as one currency, `EURUSD` or `EUR-USD` as two."""
    word = re.sub(r"[/_-]|=X?$", "", word)
    if word in MONEY:
        return f"{word}=X"
    return pair(word[:3], word[3:]) if word[:3] in MONEY and word[3:] in MONEY else None


def _plain(word: str) -> str | None:
    small = _SMALL_CLASS.fullmatch(word)
    if small:
        word = f"{small['base']}-{small['letter']}{small['tail'] or ''}"
    elif small := _SMALL_PREFERRED.fullmatch(word):
        return f"{small['base']}-P{small['letter']}"
    word = re.sub(r"\.{2,}", ".", word.upper().strip("$#@*").rstrip(".:"))
    if word.startswith((".", "^")):
        return _spelled("^" + word[1:])
    if _OTHER_NAME.fullmatch(word) or _FUTURE.fullmatch(word):
        return word if "=" in word else None
    if "=" in word:
        return currency(word) or crypto(word.removesuffix("=X").removesuffix("="), coins=_COINS)
    if first := _EXCHANGE_FIRST.fullmatch(word):
        name, rest = first["name"] or first["hk"] or first["named"], first["digits"] or first["few"] or first["rest"]
        if name not in ("US", "NYSE", "NASDAQ", "AMEX", "XNAS", "XNYS") or _exchange_behind(rest.split(".")[-1], "") is None:
            return of_word(f"{name}:{rest}")
    if vendor := re.fullmatch(r"(.+)\.(CC|FOREX|FX|INDX)", word):
        name = {"CC": "CRYPTO", "INDX": "INDEX"}.get(vendor[2], "FX")
        return of_word(f"{name}:{vendor[1]}")
    one, dash, other = re.sub(r"_|(?<=^[A-Z]{3})\.(?=[A-Z]{3}$)", "-", word).partition("-")
    if dash and "." in word and pair(one, other) is None:
        one, dash, other = re.sub("_", "-", word).partition("-")
    known = pair(one, other) if dash else _together(word)
    return known or _share(word)


def _together(word: str) -> str | None:
    if len(word) == 6 and (known := currency(word)):
        return known
    coin = word.removesuffix(".X")
    if coin != word:
        return crypto(coin, coins=_COINS)
    # A coin without its quote is no more than a word: ADA and LINK are shares too.
    return crypto(word, coins=_COINS) if len(word) > 5 else None


def _share(word: str) -> str | None:
    preferred = _PREFERRED.fullmatch(word)
    if preferred:
        return f"{preferred['base']}-P{preferred['letter']}"
    if number := re.fullmatch(r"([0-9]{4,6})\.0", word):  # a spreadsheet's number
        return number[1]
    head, dot, tail = word.rpartition(".")
    if not dot:
        return _paper(word)
    exchange = _exchange_behind(tail, head)
    if exchange:
        base = _paper(head)
        return base and _spelled(_filled(base, exchange) + (f".{exchange.suffix}" if exchange.suffix else ""))
    if _CLASS.fullmatch(tail):
        return _paper(word)
    base = _paper(head) if _UNKNOWN_EXCHANGE.fullmatch(tail) else None
    return _spelled(f"{base}.{tail}") if base else None


def _exchange_behind(tail: str, head: str) -> Exchange | None:
    """The exchange that stands behind a dot: by its suffix, its name of three letters or more, or some codes of a terminal."""
    if tail == "TSE":
        return exchange_before(tail, head)
    code = BY_CODE[tail] if tail in CODES_AS_TAILS else None
    return BY_TAIL.get(tail) or (BY_PREFIX.get(tail) if len(tail) > 2 else None) or code


def _paper(word: str) -> str | None:
    """Without its exchange: a company, or one of its papers."""
    base, separator, kind = re.sub("[./_]", "-", word).partition("-")
    if not _BASE.fullmatch(base) or (separator and not re.fullmatch(r"[A-Z0-9&]{1,12}", kind)):
        return None
    if separator and not _CLASS.fullmatch(kind) and not word.startswith(f"{base}-"):
        return None
    return _spelled(f"{base}-{_SAME_CLASS.get(kind, kind)}" if separator else base)


def _filled(base: str, exchange: Exchange) -> str:
    return str(int(base)).zfill(exchange.digits) if exchange.digits and base.isdigit() else base


def _spelled(known: str) -> str | None:
    """`known`, where it is short enough and, with a caret before it, an index."""
    if len(known) > LONGEST or not re.fullmatch(SPELLING, known):
        return None
    return known if not known.startswith("^") or _INDEX.fullmatch(known) else None
