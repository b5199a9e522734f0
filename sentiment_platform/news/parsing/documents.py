"""What some bytes are, before a feed parser sees them: decoded once, judged by their start, then checked as XML.

What is judged here is what is parsed afterwards: `feed_document` returns the very text, so that no second guess at the encoding
can show the parser a declaration that was not seen here.
"""

import codecs
import re
from itertools import count
from xml.parsers import expat

from sentiment_platform.news.errors import NotAFeedError

MAX_ITEMS = 5_000
MAX_DEPTH = 100
_FEED_ROOTS = {"rss", "feed", "rdf"}
_ROOT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")
_SPACE = re.compile(r"\s*")
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})")
# UTF-32 first: its little-endian mark begins with that of UTF-16. Then a "<" without a mark.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
# In these every ASCII byte is that character, whatever stands before it; UTF-7, HZ, ISO-2022 and EBCDIC can hide markup.
_ASCII_KEEPING = re.compile(
    r"ascii|iso8859-\d+|cp125\d|cp866|cp874|cp932|cp949|cp950|koi8-[rtu]|kz1048|gb2312|gbk|gb18030|big5(hkscs)?|shift_jis(_2004|x0213)?"
    r"|euc_\w+|tis-620"
)
_KNOWN_OTHERS = {"urlset": "a sitemap (urlset)", "sitemapindex": "a sitemap index", "html": "an HTML page"}
_WRONG = "Check the address of the source."


def feed_document(body: bytes, content_type: str = "") -> str:
    """The text of an RSS, Atom or RDF document that is well-formed and declares no document type and no entity.

    Raises:
        NotAFeedError: names what the document is instead, or where it is broken.
    """
    text = decoded(body, content_type)
    kind = document_kind(text)
    if kind not in _FEED_ROOTS:
        raise NotAFeedError(f"The answer is {kind}, not an RSS or Atom feed.", remedy=_WRONG)
    _refuse_unless_plain(text)
    return text


def decoded(body: bytes, content_type: str = "") -> str:
    """The text of a document: by its byte order mark, as UTF-8 if it is that, as header or declaration say, or as Windows-1252.

    Labels are wrong more often than bytes are UTF-8 by chance, which in other encodings does not happen to a whole document.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body.decode(encoding, "replace").removeprefix("\ufeff")
    named = (
        *_CHARSET.findall(content_type.lower())[:1],
        *(name.decode("ascii", "replace") for name in _DECLARED.findall(body)[:1]),
    )
    for encoding in ("utf-8-sig", *filter(_keeps_ascii, named)):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("windows-1252", "replace")


def document_kind(text: str) -> str:
    """`rss`, `feed` or `rdf` for a feed; otherwise words that fit after "the answer is"."""
    text = text.lstrip("\ufeff \t\r\n")
    if not text:
        return "empty"
    position = 0
    while True:
        position = _SPACE.match(text, position).end()  # pyright: ignore[reportOptionalMemberAccess]  matches always
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


def _refuse_unless_plain(text: str) -> None:
    """One pass of expat without building anything, so that nothing broken, nested or endless reaches a parser that does build."""
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
        raise NotAFeedError(f"The feed is broken XML: {error}.", remedy="It is tried again at the next tick.") from error


def _keeps_ascii(name: str) -> bool:
    try:
        return _ASCII_KEEPING.fullmatch(codecs.lookup(name).name) is not None
    except (LookupError, ValueError):
        return False


def _after(mark: str, text: str, position: int) -> int:
    start = text.find(mark, position)
    return len(text) if start < 0 else start + len(mark)
