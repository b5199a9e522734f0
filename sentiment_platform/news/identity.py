"""When two items are the same article, and what an item is called. Plain functions without I/O.

Not here: the spelling of addresses (`news.canonical_url`) and which articles tell one story (`news.stories`).
"""

from dataclasses import dataclass
from hashlib import sha256

from sentiment_platform.news.canonical_url import canonical_url
from sentiment_platform.news.items import RawItem
from sentiment_platform.text.normalise import normalise, text_key

MAX_EXTERNAL_ID_BYTES = 2_000
"""PostgreSQL refuses to index a row of more than 2,704 bytes, and the name of a source stands beside this one."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of an item: its canonical address, its content hash (64 hexadecimal digits), the id of its article (the first 32 of
    them), and its name at its source: its guid, its canonical address, or its content hash; a very long one gives way to its hash.
    """

    canonical_url: str | None
    content_hash: str
    article_id: str
    external_id: str


def identify(item: RawItem) -> Identity:
    """Name an item; two items with one content hash are the same article.

    The hash is SHA-256 over the canonical address, title and summary; without an address the outlet (or source) and the UTC day
    stand in for it. Case, punctuation and invisible characters of the texts do not count.
    """
    url = canonical_url(item.url)
    if url is None:
        day = item.published_at.date().isoformat() if item.published_at else ""
        place = f"{item.outlet or item.source}\n{day}"
    else:
        place = url
    parts = (place, _key(item.title), _key(item.summary))
    hash_ = sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return Identity(url, hash_, hash_[:32], _short(item.guid or url or hash_))


def _short(name: str) -> str:
    raw = name.encode("utf-8", "surrogatepass")
    return name if len(raw) <= MAX_EXTERNAL_ID_BYTES else sha256(raw).hexdigest()


def _key(text: str | None) -> str:
    return text_key(normalise(text)) if text else ""
