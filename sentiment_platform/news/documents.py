"""What kind of document some bytes are, told from the start of the document alone, before any parser sees them."""

import codecs
import re

from sentiment_platform.news.errors import NotAFeedError

_FEED_ROOTS = {"rss", "feed", "rdf"}
_ROOT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KNOWN_OTHERS = {"urlset": "a sitemap (urlset)", "sitemapindex": "a sitemap index", "html": "an HTML page"}


def refuse_unless_feed(body: bytes) -> None:
    """Accept documents whose root is that of RSS, Atom or RDF and that declare no document type and no entity.

    Raises:
        NotAFeedError: names what the document is instead.
    """
    kind = document_kind(body)
    if kind not in _FEED_ROOTS:
        raise NotAFeedError(
            f"The answer is {kind}, not an RSS or Atom feed.", remedy="Check the feed's address in SENTIMENT_FEEDS."
        )


def document_kind(body: bytes) -> str:
    """`rss`, `feed` or `rdf` for a feed; otherwise words that fit after "the answer is"."""
    text = _decoded(body).lstrip("\ufeff \t\r\n")
    if not text:
        return "empty"
    position = 0
    while True:
        position = re.compile(r"\s*").match(text, position).end()  # pyright: ignore[reportOptionalMemberAccess]  matches always
        if text.startswith("<?", position):
            position = _after("?>", text, position)
        elif text.startswith("<!--", position):
            position = _after("-->", text, position)
        elif text[position : position + 14].lower() == "<!doctype html":
            return "an HTML page"
        elif text.startswith("<!", position):
            return "a document with a DOCTYPE or ENTITY declaration (refused unread)"
        else:
            break
    root = _ROOT.match(text, position)
    if root is None:
        return "a JSON document" if text[position : position + 1] in ("{", "[") else "not XML at all"
    name = root[1].lower()
    return name if name in _FEED_ROOTS else _KNOWN_OTHERS.get(name, f"an XML document with the root element <{root[1][:40]}>")


def _decoded(body: bytes) -> str:
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    # Without a mark: UTF-16 shows as NULs between ASCII letters; for every other encoding of feeds ASCII is ASCII.
    return body.replace(b"\x00", b"").decode("latin-1").removeprefix("\xef\xbb\xbf")


def _after(mark: str, text: str, position: int) -> int:
    found = text.find(mark, position)
    return len(text) if found < 0 else found + len(mark)
