"""What some bytes are, before a feed parser sees them: decoded once, judged by what stands before the root, then checked as XML.

What is judged here is what is parsed afterwards: `feed_document` returns the very text, from its root element on, so that no second
guess at the encoding can show the parser a declaration that was not seen here.
"""

import re
from dataclasses import dataclass
from itertools import count
from xml.parsers import expat

from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.parsing.decoding import decode
from sentiment_platform.news.parsing.mending import is_misread, mend

MAX_ITEMS = 5_000
MAX_DEPTH = 100
MAX_BEFORE_THE_ROOT = 10_000
"""Characters that are no part of a feed and may stand before it: warnings of its server, remains of a template."""
_FEED_ROOTS = {"rss", "feed", "rdf"}
_ROOT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")
_FEED_ROOT = re.compile(r"\s*<(?:[\w.-]+:)?(?:rss|feed|rdf)(?=[\s/>])", re.IGNORECASE)
_SPACE = re.compile(r"\s*")
_XML_DECLARATION = re.compile(r"<\?xml\s+version\s*=\s*[\"']1\.0[\"'][^<>]*\?>")
_IDENTIFIER = r"(?:\"[^\"<>]*\"|'[^'<>]*')"
# Without an internal subset. What it names is not read, and where that is a file of this machine somebody wants it to be.
_DOCTYPE = re.compile(
    rf"<!DOCTYPE\s+[\w:.-]+(?P<external>(?:\s+(?:PUBLIC|SYSTEM)(?:\s*{_IDENTIFIER}){{1,2}})?)\s*>", re.IGNORECASE
)
_OF_THIS_MACHINE = re.compile(r"[\"'](?:file:|[/\\])", re.IGNORECASE)
_LATER_ROOT = re.compile(r"<!--.*?(?:-->|\Z)|<\?xml\s|<(?:[\w.-]+:)?(?P<root>rss|feed|rdf)(?=[\s/>])", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]*)[^<>]*?(/?)>")
_OTHER_DOCUMENT = re.compile(r"<!(?!--)|<(?:html|body|head)\b|^\s*[{\[]", re.IGNORECASE)
_VOID = {"br", "hr", "img", "input", "link", "meta"}
_KNOWN_OTHERS = {"urlset": "a sitemap (urlset)", "sitemapindex": "a sitemap index", "html": "an HTML page"}
_WRONG = "Check the address of the source."


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """The text of a feed, well-formed and without a declaration of any kind; `mended`: how many flaws were taken out of it."""

    text: str
    mended: int = 0


@dataclass(frozen=True, slots=True)
class _Opening:
    """What stands before the root: what the document is, where its root begins, what was wrong until there."""

    kind: str
    root: int = 0
    flaws: int = 0
    has_doctype: bool = False


def feed_document(body: bytes, content_type: str = "") -> FeedDocument:
    """The text of an RSS, Atom or RDF document, with what is harmless mended and what is dangerous refused.

    Raises:
        NotAFeedError: names what the document is instead, or where it is broken.
    """
    decoded_ = decode(body, content_type)
    opening = _opening(decoded_.text)
    if opening.kind not in _FEED_ROOTS:
        raise NotAFeedError(f"The answer is {opening.kind}, not an RSS or Atom feed.", remedy=_WRONG)
    text, flaws = decoded_.text[opening.root :], opening.flaws + decoded_.replaced
    broken = _broken(text)
    if broken or is_misread(text):
        mended = mend(text, has_doctype=opening.has_doctype)
        text, flaws = mended.text, flaws + max(1, mended.flaws)
        broken = broken and _broken(text)
    if broken:
        raise NotAFeedError(f"The feed is broken XML: {broken}.", remedy="It is tried again at the next tick.")
    return FeedDocument(text, flaws)


def decoded(body: bytes, content_type: str = "") -> str:
    """The text of a document, as `decoding.decode` reads it."""
    return decode(body, content_type).text


def document_kind(text: str) -> str:
    """`rss`, `feed` or `rdf` for a feed; otherwise words that fit after "the answer is"."""
    return _opening(text).kind


def _opening(text: str, position: int = 0) -> _Opening:
    """What stands at `position`; only at the beginning of a text it may come behind what is no part of a feed."""
    begin, flaws, has_doctype = position, 0, False
    if not text.strip("\ufeff \t\r\n"):
        return _Opening("empty")
    while True:
        position = _SPACE.match(text, position).end()  # pyright: ignore[reportOptionalMemberAccess]  matches always
        if text.startswith("\ufeff", position):
            position += 1
        elif text.startswith("<?", position):
            is_declaration = text.startswith(("<?xml ", "<?xml\t", "<?xml\r", "<?xml\n"), position)
            flaws += is_declaration and not (position == begin and _XML_DECLARATION.match(text, position))
            position = _after("?>", text, position)
        elif text.startswith("<!--", position):
            position = _after("-->", text, position)
        elif text.startswith("<!", position):
            doctype = _DOCTYPE.match(text, position)
            is_page = text[position : position + 14].lower() == "<!doctype html"
            if is_page and not (doctype and _FEED_ROOT.match(text, doctype.end())):
                return _Opening("an HTML page")
            if doctype is None or has_doctype or _OF_THIS_MACHINE.search(doctype["external"]):
                return _Opening("a document with a DOCTYPE or ENTITY declaration (refused unread)")
            position, flaws, has_doctype = doctype.end(), flaws + 1, True
        else:
            break
    root = _ROOT.match(text, position)
    name = root[1].lower() if root else ""
    if name in _FEED_ROOTS:
        return _Opening(name, position, flaws, has_doctype)
    later = _after_junk(text, position) if begin == 0 else None
    if later is not None:
        opening = _opening(text, later)
        return _Opening(opening.kind, opening.root, flaws + opening.flaws + 1, has_doctype or opening.has_doctype)
    if root is None:
        return _Opening("a JSON document" if text[position : position + 1] in ("{", "[") else "not XML at all")
    return _Opening(_KNOWN_OTHERS.get(name, f"an XML document with the root element <{root[1][:40]}>"))


def _after_junk(text: str, position: int) -> int | None:
    """Where a feed begins behind what is no part of it: nothing that is a document of its own, and no element around the feed."""
    for later in _LATER_ROOT.finditer(text, position, position + MAX_BEFORE_THE_ROOT):
        if later[0].startswith("<!--"):
            continue
        junk = text[position : later.start()]
        if _OTHER_DOCUMENT.search(junk):
            return None
        tags = [(close, name) for close, name, empty in _TAG.findall(junk) if not empty and name.lower() not in _VOID]
        around = sum(-1 if close else 1 for close, _ in tags)
        return later.start() if around == 0 and later.start() > position else None
    return None


def _broken(text: str) -> str:
    """One pass of expat without building anything, so that nothing broken, nested or endless reaches a parser that does build.

    Where the text is not well-formed, in expat's words; empty where it is.
    """
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    items, depth = count(1), 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise NotAFeedError(f"The feed nests more than {MAX_DEPTH} elements.", remedy=_WRONG)
        if name.rpartition(" ")[2] in ("item", "entry") and next(items) > MAX_ITEMS:
            raise NotAFeedError(f"The feed has more than {MAX_ITEMS:,} items.", remedy="Import it as an archive instead.")

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def declaration(*_: object) -> None:
        raise NotAFeedError("The feed has a DOCTYPE or ENTITY declaration (refused unread).", remedy=_WRONG)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = declaration
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        return str(error)
    return ""


def _after(mark: str, text: str, position: int) -> int:
    start = text.find(mark, position)
    return len(text) if start < 0 else start + len(mark)
