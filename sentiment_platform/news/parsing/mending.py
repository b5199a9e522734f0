"""Feeds that are not quite XML, mended where a flaw is harmless: one pass over the text, and each mend is counted.

Mended: entities that only HTML knows, ampersands and less-thans that start nothing, forbidden characters, comments and declarations out
of place, attributes that are not as XML wants them, tags in two cases, unbound prefixes, what stands after the root. Not mended: what is cut off, nests wrongly or declares anything. Whether the
mended text is well-formed is for `documents` to see.
"""

import re
from dataclasses import dataclass, field
from html.entities import html5

from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.parsing.attributes import ATTRIBUTES, NAME, QNAME, tidied
from sentiment_platform.news.parsing.markup import HALVES, whole_character

MAX_MENDED = 50_000
MAX_PREFIXES = 50
_MAX_OPEN = 500
_REFERENCE = (
    rf"(?P<halves>{HALVES})|"
    r"&(?:\#(?P<decimal>[0-9]++);?|\#[xX](?P<hex>[0-9a-fA-F]++);?|(?P<entity>[A-Za-z][A-Za-z0-9]{0,39}+)(?:(?P<ended>;)|(?!=)))?"
)
# The controls from 80 to 9F are allowed, and always characters of Windows-1252 under its numbers there.
_CHARACTER = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x80-\\x9f\ufffe\uffff\ud800-\udfff]"
_TOKEN = re.compile(
    rf"""
    (?P<skipped><!--.*?(?:-->|\Z)|<\?{NAME}.*?(?:\?>|\Z))
    |(?P<cdata><!\[CDATA\[.*?(?:\]\]>|\Z))
    |<(?P<close>/?)(?P<name>{QNAME})(?P<attributes>{ATTRIBUTES})\s*+(?P<empty>/?)>
    |{_REFERENCE}
    |(?P<declaration><!(?:DOCTYPE|ENTITY))
    |<|\]\]>|{_CHARACTER}
    """,
    re.DOTALL | re.VERBOSE | re.IGNORECASE,
)
_IN_VALUE = re.compile(rf"{_REFERENCE}|<|{_CHARACTER}")
_A_CHARACTER = re.compile(_CHARACTER)
_QUOTED = re.compile(r"\"[^\"]*+\"|'[^']*+'")
_PREFIXED = re.compile(rf"({NAME}):({NAME})")
_CLOSED_LINK = re.compile(r"[^<]*+</(?:\w+:)?link\b", re.IGNORECASE)
_SKIPPED = re.compile(r"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_MORE_DOCUMENTS = re.compile(r"<!DOCTYPE|<!ENTITY|<(?:[\w.-]+:)?(?:rss|feed|rdf)(?=[\s/>])", re.IGNORECASE)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PREDEFINED = _names("amp lt gt quot apos")
# Where an element of a feed is not closed, something is missing. Any other name may be a word in angle brackets, or HTML.
_ELEMENTS = _names(
    "rss rdf feed channel item entry title link guid id pubdate updated published description summary content author name category "
    "source enclosure comments image url textinput language copyright generator lastbuilddate ttl cloud docs rights"
)
_VOID = _names("br hr img input wbr embed meta")
_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "itunes": "http://www.itunes.com/DTDs/PodCast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
}
_MISREAD = re.compile(r"[\x80-\x9f]|&#(?:1[2-5]\d|[xX][89][0-9a-fA-F]);")


@dataclass(frozen=True, slots=True)
class Mended:
    """A text, and how many flaws were mended in it."""

    text: str
    flaws: int


def is_misread(text: str) -> bool:
    """Whether a text holds what XML allows and nobody means: characters of Windows-1252 under their numbers there."""
    return _MISREAD.search(text) is not None


def mend(text: str, *, has_doctype: bool = False) -> Mended:
    """The text of a feed, from its root element on, with its harmless flaws mended.

    With `has_doctype` a document type was left out that may define further entities: what one of those says, nobody here knows.

    Raises:
        NotAFeedError: a declaration inside or after the root, a second feed after it, an entity that was defined elsewhere, more than
            MAX_MENDED flaws or MAX_PREFIXES unbound prefixes.
    """
    mender = _Mender(has_doctype=has_doctype)
    mended = mender.mend(text)
    return Mended(mended, mender.flaws)


@dataclass(slots=True, kw_only=True)
class _Mender:
    """Builds the mended text in `pieces`. `open_`: the elements that are not closed yet, each with its place among the pieces."""

    has_doctype: bool
    pieces: list[str] = field(default_factory=list[str])
    open_: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    root: str = ""
    used: set[str] = field(default_factory=set[str])
    bound: set[str] = field(default_factory=set[str])
    bound_by_root: set[str] = field(default_factory=lambda: {"xml", "xmlns"})
    flaws: int = 0

    def mend(self, text: str) -> str:
        position = 0
        for token in _TOKEN.finditer(text):
            self.pieces.append(text[position : token.start()])
            self.pieces.append(self._mended(token))
            position = token.end()
            if self.flaws > MAX_MENDED:
                raise _refused(f"The feed has more than {MAX_MENDED:,} flaws.")
            if self.root and not self.open_:
                self._drop(text[position:])
                break
        else:
            self.pieces.append(text[position:])
        mended, place = "".join(self.pieces), 1 + len(self.root)
        return f"{mended[:place]}{self._missing_namespaces()}{mended[place:]}"

    def _mended(self, token: re.Match[str]) -> str:
        written = token[0]
        if token["name"]:
            return self._closed(written, token["name"]) if token["close"] else self._opened(token)
        if token["skipped"]:
            # Nothing in them is news. Two hyphens in a comment and a declaration in the middle are the usual flaws.
            self.flaws += "--" in written[4:-3] if written.startswith("<!") else written.startswith("<?xml ")
            return "" if written.endswith(("-->", "?>")) else written
        if token["cdata"]:
            self.flaws += not written.startswith("<![CDATA[")
            return "<![CDATA[" + _A_CHARACTER.sub(self._character, written[9:])
        if token["declaration"]:
            raise _refused("The feed has a DOCTYPE or ENTITY declaration (refused unread).")
        return self._flawed(token)

    def _flawed(self, token: re.Match[str]) -> str:
        """A reference, a less-than, the end of a CDATA section or a character, fit to stand in XML."""
        written, name = token[0], token["entity"]
        if token["halves"]:
            self.flaws += 1
            return whole_character(token)
        if name in _PREDEFINED and token["ended"]:
            return written
        if number := token["decimal"] or token["hex"]:
            return self._number(written, int(number[-9:], 16 if token["hex"] else 10) if len(number.lstrip("0")) < 9 else -1)
        if written[0] not in "&<]":
            return self._character(token)
        self.flaws += 1
        if name:
            # The old names of HTML need no end, but where a parameter of an address begins.
            if written[1:] in html5:
                return "".join(f"&#{ord(character)};" for character in html5[written[1:]])
            if self.has_doctype and token["ended"]:
                raise _refused(f"The feed refers to &{name}; of a document type that is not read.")
        return {"&": "&amp;", "<": "&lt;", "]": "]]&gt;"}[written[0]] + (written[1:] if written[0] == "&" else "")

    def _number(self, written: str, code: int) -> str:
        if 0x80 <= code <= 0x9F:
            self.flaws += 1
            return bytes([code]).decode("windows-1252", "ignore")
        if not 0 <= code <= 0x10FFFF or _A_CHARACTER.match(chr(code)):
            self.flaws += 1
            return ""
        if written.endswith(";") and written[2] != "X":
            return written
        self.flaws += 1
        return f"&#{code};"

    def _character(self, character: re.Match[str]) -> str:
        self.flaws += 1
        code = ord(character[0])
        return bytes([code]).decode("windows-1252", "ignore") if 0x80 <= code <= 0x9F else ""

    def _opened(self, tag: re.Match[str]) -> str:
        name, (attributes, flaws) = tag["name"], tidied(tag["attributes"])
        self.flaws += flaws
        if self.open_ and self.open_[-1][0].lower() in _VOID:
            self._escape(*self.open_.pop())
        prefixes = {name.partition(":")[0]} if ":" in name else set[str]()
        if ":" in attributes:
            for prefix, local in _PREFIXED.findall(_QUOTED.sub("", attributes)):
                if prefix == "xmlns":
                    (self.bound if self.root else self.bound_by_root).add(local)
                else:
                    prefixes.add(prefix)
        self.used |= prefixes
        self.root = self.root or name
        ended = tag["empty"]
        if not ended and name.lower().endswith("link") and "href" in attributes and not _CLOSED_LINK.match(tag.string, tag.end()):
            ended, self.flaws = "/", self.flaws + 1
        if not ended:
            self.open_.append((name, len(self.pieces)))
        mended = _QUOTED.sub(self._value, attributes)
        return tag[0] if (mended, ended) == (tag["attributes"], tag["empty"]) else f"<{name}{mended}{ended}>"

    def _value(self, quoted: re.Match[str]) -> str:
        return _IN_VALUE.sub(self._flawed, quoted[0])

    def _closed(self, written: str, name: str) -> str:
        above = 0
        for other, _ in reversed(self.open_[-_MAX_OPEN:]):
            if other.lower() == name.lower():
                while above:
                    self._escape(*self.open_.pop())
                    above -= 1
                self.open_.pop()
                self.flaws += other != name
                return written if other == name else f"</{other}>"
            if not _is_loose(other):
                break
            above += 1
        if not _is_loose(name):
            return written
        self.flaws += 1
        return f"&lt;{written[1:]}"

    def _escape(self, _name: str, place: int) -> None:
        """A start tag that nothing closes is text."""
        self.flaws += 1
        self.pieces[place] = f"&lt;{self.pieces[place][1:]}"

    def _drop(self, rest: str) -> None:
        rest = _SKIPPED.sub("", rest).strip()
        if _MORE_DOCUMENTS.search(rest):
            raise _refused("After its end the feed goes on with a declaration or another feed (refused unread).")
        self.flaws += bool(rest)

    def _missing_namespaces(self) -> str:
        missing = sorted(self.used - self.bound_by_root)
        if len(missing) > MAX_PREFIXES:
            raise _refused(f"The feed uses more than {MAX_PREFIXES} prefixes that its root does not bind.")
        self.flaws += len(set(missing) - self.bound)
        return "".join(f' xmlns:{prefix}="{_NAMESPACES.get(prefix, f"urn:unbound:{prefix}")}"' for prefix in missing)


def _is_loose(name: str) -> bool:
    return ":" not in name and name.lower() not in _ELEMENTS


def _refused(reason: str) -> NotAFeedError:
    return NotAFeedError(reason, remedy="Check the address of the source; tell its operator.")
