"""When two items are the same article: content hash and the names of an item. Plain functions without I/O.

Not here: the spelling of addresses (`news.canonical_url`) and which articles tell one story (`news.stories`).
"""

from hashlib import sha256

from sentiment_platform.news.canonical_url import canonical_url
from sentiment_platform.news.items import RawItem
from sentiment_platform.text.normalise import normalise, text_key


def content_hash(item: RawItem) -> str:
    """SHA-256, 64 hexadecimal digits, of what makes two items the same article.

    The canonical address, title and summary; without an address the outlet (or source) and the UTC day stand in for it. Case,
    punctuation and invisible characters of the texts do not count.
    """
    place = canonical_url(item.url)
    if place is None:
        day = item.published_at.date().isoformat() if item.published_at else ""
        place = f"{item.outlet or item.source}\n{day}"
    parts = (place, _key(item.title), _key(item.summary))
    return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def article_id(hash_: str) -> str:
    """The first 32 hexadecimal digits (128 bits) of a content hash."""
    return hash_[:32]


def external_id(item: RawItem) -> str:
    """The name of an item at its source: its guid, its canonical address, or its content hash."""
    return item.guid or canonical_url(item.url) or content_hash(item)


def _key(text: str | None) -> str:
    return text_key(normalise(text)) if text else ""
