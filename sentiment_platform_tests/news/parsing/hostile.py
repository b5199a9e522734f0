"""Feeds of servers that are broken or mean harm, made here: some 350 answers, each with a name.

`Trap` says what must not be touched: a file on this machine and a port on loopback.
"""

import gzip
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from sentiment_platform_tests.news.server import item, rss

DATE = "Mon, 06 Jan 2025 10:00:00 GMT"
LINK = "https://e.example/1"
GOOD = rss(*(item(f"Profit rises by {n} percent", f"{LINK}{n}", DATE) for n in range(8)))
ENCODINGS = ("utf-8", "iso-8859-1", "windows-1252", "utf-16", "utf-16-le", "utf-32", "shift_jis", "gb18030", "koi8-r", "cp037")
NAMED = (*ENCODINGS, "utf-7", "iso-2022-jp", "hz", "unicode_escape", "undefined", "zlib", "idna", "x" * 40, "no-such", "\u0663")
DATES = (
    "", "soon", "0", "-1", "9" * 400, "Mon, 06 Jan 99999 10:00:00 GMT", "2999-01-01T00:00:00Z", "1900-01-01", "0000-00-00T00:00:00Z",
    "2025-02-30T25:61:61Z", "Mon, 32 Foo 2025 10:00:00 GMT", "2025-01-06T10:00:00+99:99", "2025-01-06T10:00:00 Mars/Phobos", "NaN",
    "infinity", "1e308", "\u0662\u0660\u0662\u0665-01-06", "2025-W01-1", "20250106", "2025-01-06T24:00:00Z", "2016-12-31T23:59:60Z",
    "Mon, 06 Jan 2025 10:00:00 " + "(" * 5000, "1-" * 5000, "-0001-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
)  # fmt: skip
TEXTS = (
    "Profit <![ rises", "Profit <!", "Profit <![CDATA[ rises", "Profit <!-- rises", "Profit </ rises", "Profit <? rises", "<script>Profit",
    "&#" + "9" * 5_000 + ";", "&#x" + "f" * 5_000 + ";", "&#xD800; &#0; &#-1; &#x;",
    *(flood * 4_000 for flood in ("<a ", "<![", "<!--", "<script>", "</style ", "<a x=\"", "<a '", "&#1", "&nosuch", "<", "\u202e")),
)  # fmt: skip
"""What a text may hold that its reader stumbles over; the same in XML (escaped once) and JSON."""


@dataclass(frozen=True, slots=True)
class Trap:
    """What must stay untouched."""

    file: Path
    port: int


@dataclass(frozen=True, slots=True)
class Hostile:
    """One answer. `headers` as they are sent; the length of the body is added unless it is among them."""

    name: str
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


def corpus(trap: Trap) -> Iterator[Hostile]:
    """Every answer, in a fixed order."""
    yield from _other_documents()
    yield from _truncated()
    yield from _compressed()
    yield from _declarations(trap)
    yield from _encodings()
    yield from _dates_and_links(trap)
    yield from _sizes()
    yield from _characters()
    yield from _redirects(trap)
    yield from _mutated()


def _feed(inner: str, declaration: str = "") -> str:
    return f'<?xml version="1.0"?>{declaration}<rss version="2.0"><channel><title>t</title>{inner}</channel></rss>'


def _titled(title: str) -> str:
    return f"<item><title>{title}</title><link>{LINK}</link><pubDate>{DATE}</pubDate></item>"


def _other_documents() -> Iterator[Hostile]:
    page = b"<!DOCTYPE html><html><head><link rel='alternate' type='application/rss+xml' href='/rss'></head><body>Log in</body></html>"
    bodies = {
        "html page": page,
        "html page without doctype": page[15:],
        "html page in utf-16": page.decode().encode("utf-16"),
        "html page after a comment": b"<!-- <rss> -->" + page,
        "html page called rss": page,
        "nothing": b"",
        "blanks": b" \r\n\t" * 100,
        "only a byte order mark": b"\xef\xbb\xbf",
        "only half a byte order mark": b"\xff",
        "only NULs": bytes(1000),
        "feed without items": rss(),
        "json": b'{"items": [1]}',
        "deep json": b"[" * 100_000,
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        "an archive": b"PK\x03\x04" + bytes(range(256)) * 20,
        "a sitemap": b"<urlset/>",
        "two feeds": GOOD + GOOD,
        "feed and then html": GOOD + page,
    }
    for name, body in bodies.items():
        yield Hostile(name, body, headers={"Content-Type": "application/rss+xml"})
    for status in (201, 204, 206, 300, 304, 400, 401, 403, 404, 410, 418, 451, 429, 500, 503, 599, 999):
        yield Hostile(f"status {status}", GOOD if status not in (204, 304) else b"", status)
    yield Hostile("length too large", GOOD, headers={"Content-Length": str(len(GOOD) + 100)})
    yield Hostile("length too small", GOOD, headers={"Content-Length": "50"})
    yield Hostile("length negative", GOOD, headers={"Content-Length": "-5"})
    yield Hostile("headers without end", GOOD, headers={f"X-{n}": "x" * 5000 for n in range(40)})
    yield Hostile("chunks that are none", GOOD, headers={"Transfer-Encoding": "chunked"})
    yield Hostile("validators of bytes", GOOD, headers={"ETag": "caf\xe9" * 500, "Last-Modified": "\xff"})


def _truncated() -> Iterator[Hostile]:
    for n in range(1, 61):
        yield Hostile(f"cut at {n} of 61", GOOD[: len(GOOD) * n // 61])


def _compressed() -> Iterator[Hostile]:
    packed = gzip.compress(GOOD)
    zeros = gzip.compress(bytes(200_000_000), compresslevel=1)
    bodies = {
        "bomb": zeros,
        "bomb in a bomb": gzip.compress(zeros),
        "bomb that begins as a feed": gzip.compress(GOOD[:-20] + b" " * 50_000_000),
        "twice packed": gzip.compress(packed),
        "zlib bomb": zlib.compress(bytes(50_000_000)),
        "wrong checksum": packed[:-8] + b"\0\0\0\0" + packed[-4:],
        "rubbish after the end": packed + bytes(3_000_000),
        "two members": packed + packed,
        "not packed": GOOD,
        "nothing packed": b"",
        "header only": packed[:10],
    }
    for name, body in bodies.items():
        yield Hostile(f"gzip: {name}", body, headers={"Content-Encoding": "gzip"})
    for n in range(1, 11):
        yield Hostile(f"gzip: cut at {n} of 11", packed[: len(packed) * n // 11], headers={"Content-Encoding": "gzip"})
    for encoding in ("gzip, gzip", "br", "zstd", "compress", "gzip;q=1", "\xff"):
        yield Hostile(f"encoding {encoding!r}", packed, headers={"Content-Encoding": encoding})
    yield Hostile("packed and not said", packed)


def _declarations(trap: Trap) -> Iterator[Hostile]:
    laughs = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    inside = f"http://127.0.0.1:{trap.port}"
    declarations = {
        "billion laughs": f"<!DOCTYPE rss [{laughs}]>",
        "quadratic blow-up": f'<!DOCTYPE rss [<!ENTITY a9 "{"x" * 100_000}">]>',
        "local file": f'<!DOCTYPE rss [<!ENTITY a9 SYSTEM "{trap.file.as_uri()}">]>',
        "local path": f'<!DOCTYPE rss [<!ENTITY a9 SYSTEM "{trap.file}">]>',
        "internal server": f'<!DOCTYPE rss [<!ENTITY a9 SYSTEM "{inside}/entity">]>',
        "external definition": f'<!DOCTYPE rss SYSTEM "{inside}/dtd">',
        "public definition": f'<!DOCTYPE rss PUBLIC "-//x//y" "{inside}/dtd">',
        "parameter entity": f'<!DOCTYPE rss [<!ENTITY % p SYSTEM "{inside}/parameter"> %p;]>',
        "entity in itself": '<!DOCTYPE rss [<!ENTITY a9 "&a9;">]>',
        "lower case": f'<!doctype rss system "{trap.file}">',
    }
    for name, declaration in declarations.items():
        text = _feed(_titled("&a9;" * 100), declaration)
        yield Hostile(f"{name}", text.encode())
        for encoding in ("utf-16", "utf-16-be", "utf-32", "cp037", "utf-7"):
            yield Hostile(
                f"{name} in {encoding}", text.encode(encoding), headers={"Content-Type": f"text/xml; charset={encoding}"}
            )
        # In ASCII one long comment; in UTF-7 the comment ends before the declaration.
        hidden = f"<!-- +AC0ALQA+- {declaration} +ADwAIQAtAC0- -->{_feed(_titled('a'))[21:]}"
        yield Hostile(f"{name} behind a comment", hidden.encode(), headers={"Content-Type": "text/xml; charset=utf-7"})
        yield Hostile(f"{name} after the root", (_feed(_titled("a")) + declaration).encode())
    instructions = {
        "stylesheet": f'<?xml-stylesheet href="{inside}/style" type="text/xsl"?>',
        "inclusion": f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{trap.file.as_uri()}" parse="text"/>',
        "schema": f'<x xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a {inside}/schema"/>',
        "unknown entity": "&nbsp;&no_such;",
    }
    for name, text in instructions.items():
        yield Hostile(name, _feed(_titled("a") + text).encode())


def _encodings() -> Iterator[Hostile]:
    text = _feed(_titled("Caf\xe9 profits rise"))
    for actual in ENCODINGS:
        for said in ("utf-8", "iso-8859-1", "utf-16", "us-ascii"):
            yield Hostile(
                f"{actual} said to be {said}",
                text.encode(actual, "replace"),
                headers={"Content-Type": f"text/xml; charset={said}"},
            )
    for name in NAMED:
        declared = text.replace('version="1.0"?', f'version="1.0" encoding="{name}"?')
        yield Hostile(f"declares {name[:20]!r}", declared.encode())
    for name, raw in {
        "utf-8 and latin-1": b"Caf\xc3\xa9 Caf\xe9",
        "overlong": b"\xc0\xbc\xe0\x80\xbc script",
        "surrogates": b"\xed\xa0\x80\xed\xb0\x80",
        "cut character": b"\xe2\x82",
        "beyond unicode": b"\xf5\x80\x80\x80",
        "marks inside": b"a\xef\xbb\xbfb\xff\xfec",
    }.items():
        yield Hostile(f"mixed: {name}", _feed(_titled("RAW")).encode().replace(b"RAW", raw))
    odd = _feed(_titled("a")).encode("utf-16")
    yield Hostile("utf-16 with an odd byte", odd[:-1])
    yield Hostile("utf-16 with a lone surrogate", odd[:60] + b"\x00\xd8" + odd[60:])


def _dates_and_links(trap: Trap) -> Iterator[Hostile]:
    for n, date in enumerate(DATES):
        yield Hostile(f"date {n}", rss(item("Profit rises", f"{LINK}{n}", date), item("Loss", f"{LINK}l{n}", DATE)))
    links = (
        trap.file.as_uri(), str(trap.file), f"http://127.0.0.1:{trap.port}/link", f"//127.0.0.1:{trap.port}/x", "javascript:alert(1)",
        "data:text/html,x", "ftp://127.0.0.1/x", "\\\\host\\share", "http://[::1", "https://e.example/" + "a" * 100_000, "http://%00/",
        "https://e.example:99999999/", "https://\u2024\u2024/..", "https://user:word@e.example/",
    )  # fmt: skip
    for n, link in enumerate(links):
        media = (
            f'<enclosure url="{link}" type="audio/mpeg"/><source url="{link}">s</source><comments>{link}</comments>'
            f"<description>&lt;img src='{link}'&gt;&lt;iframe src='{link}'&gt;&lt;a href='{link}'&gt;x&lt;/a&gt;</description>"
        )
        yield Hostile(f"link {n}", rss(item("Profit rises", link, DATE, extra=media)))
        based = _feed(_titled("a")).replace("<rss ", f'<rss xml:base="{link}" ')
        yield Hostile(f"base {n}", based.encode())


def _sizes() -> Iterator[Hostile]:
    many = 100_000
    bodies = {
        "100,000 items": "<item/>" * many,
        "100,000 items with titles": "<item><title>a</title></item>" * many,
        "5,001 items": _titled("a") * 5_001,
        "deep elements": "<a>" * many,
        "deep and closed": "<a>" * many + "</a>" * many,
        "deep items": "<item>" * 5_000 + "</item>" * 5_000,
        "99 deep": "<item>" + "<a>" * 90 + "x" + "</a>" * 90 + "</item>",
        "huge attribute": f'<item><link href="{"x" * 4_000_000}"/></item>',
        "huge title": _titled("x" * 4_000_000),
        "huge name": f"<{'n' * 2_000_000}/>",
        "many attributes": "<item " + " ".join(f'a{n}="1"' for n in range(many)) + "/>",
        "many namespaces": "<item " + " ".join(f'xmlns:a{n}="u{n}"' for n in range(20_000)) + "/>",
        "many categories": "<item>" + "<category>x</category>" * 50_000 + "</item>",
        "huge comment": f"<!--{'x' * 4_000_000}-->",
        "many comments": "<!---->" * many,
        "huge cdata": f"<item><title><![CDATA[{']]' * many}]]></title></item>",
        "many references": _titled("&#65;&amp;&#x42;" * many),
        "open html": f"<item><title>a</title><description>{'&lt;div&gt;' * many}</description></item>" * 4,
        "many angles": f"<item><description>{'&lt;' * many}</description></item>",
        "many quotes": f"<item><description>&lt;a {'x=&quot; ' * many}</description></item>",
    }
    for name, inner in bodies.items():
        yield Hostile(name, _feed(inner).encode())
    yield Hostile("100,000 entries", b'<feed xmlns="http://www.w3.org/2005/Atom">' + b"<entry/>" * many + b"</feed>")
    yield Hostile("100,000 items in utf-16", _feed("<item/>" * many).encode("utf-16"))
    yield Hostile("more bytes than allowed", GOOD + b" " * 6_000_000)
    yield Hostile("many comments before the root", b"<!---->" * many + GOOD[38:])
    yield Hostile("open comment", b"<!--" + b"-" * 4_000_000)


def _characters() -> Iterator[Hostile]:
    for n, text in enumerate(TEXTS):
        inner = escape(f"Profit {text} rises")
        yield Hostile(
            f"text {n}", _feed(_titled(inner) + f"<item><title>a</title><description>{inner}</description></item>").encode()
        )
    for code in (*range(0x20), 0x7F, 0x80, 0x85, 0xAD, 0x200B, 0x202E, 0xFEFF, 0xFFFE, 0xFFFF, 0x10FFFF):
        yield Hostile(f"character {code:#x}", _feed(_titled(f"Profit {chr(code)} rises")).encode())
    for reference in ("&#0;", "&#x1;", "&#xD800;", "&#xFFFE;", "&#x110000;", "&#99999999999999999999;", "&#-1;", "&#x;", "&amp"):
        yield Hostile(f"reference {reference}", _feed(_titled(f"Profit {reference} rises")).encode())


def _redirects(trap: Trap) -> Iterator[Hostile]:
    inside = f"http://127.0.0.1:{trap.port}/redirect"
    targets = {
        "to itself": "?",
        "to nowhere": "",
        "inside": inside,
        "inside by name": inside.replace("127.0.0.1", "localhost"),
        "inside by number": inside.replace("127.0.0.1", "2130706433"),
        "inside by ipv6": inside.replace("127.0.0.1", "[::ffff:127.0.0.1]"),
        "inside with credentials": inside.replace("//", "//user:word@"),
        "inside without scheme": inside[5:],
        "to a file": trap.file.as_uri(),
        "to metadata": "http://169.254.169.254/latest/meta-data/",
        "to gopher": f"gopher://127.0.0.1:{trap.port}/_x",
        "to data": "data:application/rss+xml,<rss/>",
        "to rubbish": "http://[::1",
        "to a very long address": "/" + "a" * 60_000,
        "to bytes": "/caf\xe9\xff",
    }
    for name, target in targets.items():
        for status in (301, 307):
            yield Hostile(f"redirect {status} {name}", GOOD, status, {"Location": target})
    yield Hostile("redirect without target", GOOD, 302)


def _mutated() -> Iterator[Hostile]:
    source = random.Random(20250106)
    for n in range(60):
        body = bytearray(GOOD)
        for _ in range(source.randint(1, 40)):
            place = source.randrange(len(body))
            match source.randrange(3):
                case 0:
                    body[place] = source.randrange(256)
                case 1:
                    del body[place : place + source.randrange(30)]
                case _:
                    body[place:place] = source.choice(
                        (b"<", b"&", b"]]>", b"\0", b"<item>", b"</item>", b"<![CDATA[", b'"', b"\xff\xfe")
                    )
        yield Hostile(f"mutation {n}", bytes(body))
