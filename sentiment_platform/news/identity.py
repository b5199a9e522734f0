"""What an item is called. Plain functions without I/O.

Not here: the spelling of addresses (`news.canonical_url`), which stored article an item is (`news.resolution`), and which articles tell
one story (`news.stories`).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class DocumentIdentities:
    """The names of the items of one document, in its order. `note`: what a person should read where a name was shared."""

    identities: tuple[Identity, ...]
    note: str | None


def identify(item: RawItem) -> Identity:
    """Name an item; two items with one content hash are the same article.

    The hash is SHA-256 over the canonical address, title and summary; without an address the outlet (or source) and the UTC day
    stand in for it. Case, punctuation and invisible characters of the texts do not count, nor whether the address is http or https.
    """
    url = canonical_url(item.url)
    address = _address(url)
    if address is None:
        day = item.published_at.date().isoformat() if item.published_at else ""
        place = f"{item.outlet or item.source}\n{day}"
    else:
        place = address
    parts = (place, title_key(item.title), title_key(item.summary))
    hash_ = sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return Identity(url, hash_, hash_[:32], _short(_address(item.guid) or address or hash_))


def identify_document(items: Sequence[RawItem]) -> DocumentIdentities:
    """Name the items of one document. A guid that stands for several headlines names none of them: their addresses do, and where one of
    these is shared in the same way, the content hash.
    """
    identities = [identify(item) for item in items]
    notes: list[str] = []

    def tell_apart(what: str, named_by: Callable[[RawItem], str | None], otherwise: Callable[[int], str]) -> None:
        positions: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for position, item in enumerate(items):
            name = named_by(item)
            if name is not None and identities[position].external_id == _short(name):
                positions[item.source, name].append(position)
        shared = [
            where for where in positions.values() if len(where) > 1 and len({title_key(items[at].title) for at in where}) > 1
        ]
        for position in (position for where in shared for position in where):
            identities[position] = replace(identities[position], external_id=otherwise(position))
        if shared:
            names = f"one {what} names" if len(shared) == 1 else f"{len(shared)} {what}s name"
            notes.append(f"{names} {sum(map(len, shared))} items, which are told apart by address and text")

    def by_address(position: int) -> str:
        return _short(_address(identities[position].canonical_url) or identities[position].content_hash)

    tell_apart("guid", lambda item: _address(item.guid), by_address)
    tell_apart("address", lambda item: _address(canonical_url(item.url)), lambda position: identities[position].content_hash)
    return DocumentIdentities(tuple(identities), "; ".join(notes) or None)


def title_key(text: str | None) -> str:
    """What two spellings of a title or summary share: lower-case words."""
    return text_key(normalise(text)) if text else ""


def _address(url: str | None) -> str | None:
    """An address, also one that stands as a guid, without the difference between http and https."""
    return f"https://{url.removeprefix('http://')}" if url is not None and url.startswith("http://") else url


def _short(name: str) -> str:
    raw = name.encode("utf-8", "surrogatepass")
    return name if len(raw) <= MAX_EXTERNAL_ID_BYTES else sha256(raw).hexdigest()
