"""When two items are the same article, and when two articles tell the same story.

Plain functions without I/O: canonical address, content hash, story key, story clusters. Version 1 of clustering compares
normalised headlines; a near-duplicate method replaces `cluster_stories` alone.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from sentiment_platform.news.items import RawItem
from sentiment_platform.store.news import StoryCandidate
from sentiment_platform.store.news_writes import StoryAssignment
from sentiment_platform.text.normalise import normalise, text_key

STORY_WINDOW = timedelta(days=3)

_DEFAULT_PORTS = {"http": 80, "https": 443}
_TRACKING = re.compile(
    r"(?i)utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|mc_cid|mc_eid|_hsenc|_hsmi|mkt_tok|cmpid|cmp|ncid|ocid|smid|"
    r"smtyp|guccounter|guce_referrer\w*|soc_src|soc_trk|ref_src|taid|sr_share|spref|xtor"
)
# Parameters that often matter, but not with a value that only says through which feed the link was handed out.
_FEED_PARAMETER = re.compile(r"(?i)ref|source|src|via|cid")
_FEED_VALUE = re.compile(r"(?i)(?:feed|rss|cs-).*")


def canonical_url(url: str | None) -> str | None:
    """One spelling for addresses of the same page; None for anything but http and https. Idempotent.

    Lower-case scheme and host, no default port, user or fragment, no tracking parameters, the query sorted, no trailing slash
    except for the root. Source: RFC 3986 section 6.2; the parameters are those that publishers' feeds add.
    """
    if url is None:
        return None
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
        query = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    except ValueError:  # a broken IPv6 host or port: no address
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return None
    host = f"[{host}]" if ":" in host else host
    kept = sorted((name, value) for name, value in query if not _is_tracking(name, value))
    return urlunsplit(
        (
            parts.scheme,
            host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}",
            quote(parts.path.rstrip("/") or "/", safe="/%:@!$&'()*+,;=~-._", errors="surrogatepass"),
            urlencode(kept, errors="surrogateescape"),
            "",
        )
    )


def _is_tracking(name: str, value: str) -> bool:
    return bool(_TRACKING.fullmatch(name) or (_FEED_PARAMETER.fullmatch(name) and _FEED_VALUE.fullmatch(value)))


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


def story_key(title: str, outlet: str | None = None) -> str:
    """The normalised headline, without the outlet's name that aggregators put behind it (`... - Outlet`)."""
    if outlet and title.endswith(f" - {outlet}"):
        title = title[: -len(outlet) - 3]
    return _key(title)


def _key(text: str | None) -> str:
    return text_key(normalise(text)) if text else ""


def cluster_stories(candidates: Iterable[StoryCandidate]) -> list[StoryAssignment]:
    """Assign every candidate without a `story_id`; those that bring one are settled and only offer their story.

    An article belongs to the story that the earliest article with its story key, at most STORY_WINDOW before it, opened; else
    it opens one, under its own id. The order of the input does not matter. Linear but for sorting.
    """
    openers: dict[str, StoryCandidate] = {}
    assignments: list[StoryAssignment] = []
    for candidate in sorted(candidates, key=lambda c: (c.published_at, c.id)):
        key = story_key(candidate.title, candidate.outlet) or candidate.id
        if candidate.story_id is not None:
            if candidate.story_id == candidate.id:
                openers[key] = candidate
            continue
        opener = openers.get(key)
        if opener is None or candidate.published_at - opener.published_at > STORY_WINDOW:
            opener = openers[key] = candidate
        assignments.append(StoryAssignment(candidate.id, opener.id, "title_key", 1.0))
    return assignments
