"""Feeds as careless software writes them, made from one sound feed: each with one harmless flaw, and what its second title must read."""

from dataclasses import dataclass

TITLE = "Quarter of the kiln maker beats"
FEED = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Kiln news</title><link>https://kiln.example</link><description>d</description>
<item><title>Kiln maker opens a plant</title><link>https://kiln.example/1</link><guid>a1</guid>\
<pubDate>Mon, 06 Jan 2025 10:00:00 GMT</pubDate></item>
<item><title>{TITLE}</title><link>https://kiln.example/2</link><guid>a2</guid><pubDate>Mon, 06 Jan 2025 11:00:00 GMT</pubDate>\
<description>Detail</description></item>
<item><title>Caf\u00e9 chain \u201cBean\u201d names a chair</title><link>https://kiln.example/3</link><guid>a3</guid>\
<pubDate>Mon, 06 Jan 2025 12:00:00 GMT</pubDate></item>
</channel></rss>
"""
OTHER_TITLES = ("Kiln maker opens a plant", "Caf\u00e9 chain \u201cBean\u201d names a chair")


@dataclass(frozen=True, slots=True)
class Flawed:
    """One feed; `flaws`: how many mends it takes; `title`: of its second item."""

    name: str
    body: bytes
    title: str = TITLE
    flaws: int = 1


def _titled(name: str, written: str, read: str, flaws: int = 1) -> Flawed:
    return Flawed(name, FEED.replace(TITLE, written).encode(), read, flaws)


def _bytes(name: str, written: bytes, read: str, encoding: str = "utf-8", flaws: int = 1) -> Flawed:
    body = FEED.replace("UTF-8", encoding).replace(TITLE, "HERE").encode(encoding, "xmlcharrefreplace").replace(b"HERE", written)
    return Flawed(name, body, read, flaws)


def _changed(name: str, old: str, new: str, flaws: int = 1, title: str = TITLE) -> Flawed:
    assert old in FEED
    return Flawed(name, FEED.replace(old, new, 1).encode(), title, flaws)


FLAWED = (
    _titled("entity nbsp", "Kiln&nbsp;maker", "Kiln maker"),
    _titled("entities of quotes", "&ldquo;Kiln&rdquo; isn&rsquo;t cheap", "\u201cKiln\u201d isn\u2019t cheap", 3),
    _titled("entity of a currency", "&pound;3m and &euro;4m", "\u00a33m and \u20ac4m", 2),
    _titled("entity of a letter", "Z&uuml;rich kiln", "Z\u00fcrich kiln"),
    _titled("entity of HTML 5", "Kiln&NoBreak; maker&comma; Oslo", "Kiln\u2060 maker, Oslo", 2),
    _titled("entity in capitals", "Q&AMP;A", "Q&A"),
    _titled("entity of two characters", "Kiln &bne; rest", "Kiln =\u20e5 rest"),
    _titled("entity without its end", "Kiln&nbsp maker &copy 2025", "Kiln maker \u00a9 2025", 2),
    _titled("parameter of an address", "See /?a=1&copy=2&notit=3", "See /?a=1&copy=2&notit=3", 2),
    _titled("unknown entity", "Kiln &wick; rest", "Kiln &wick; rest"),
    _titled("ampersand before a letter", "K&W pays", "K&W pays"),
    _titled("ampersand between blanks", "Kiln & Wick & Co", "Kiln & Wick & Co", 2),
    _titled("ampersand at the end", "Kiln &", "Kiln &"),
    _titled("ampersand before a digit", "B&3 pays", "B&3 pays"),
    _titled("reference without a number", "Kiln &#; &#x; rest", "Kiln &#; &#x; rest", 2),
    _titled("negative reference", "Kiln &#-1; rest", "Kiln &#-1; rest"),
    _titled("reference without its end", "Kiln&#39s rest", "Kiln's rest"),
    _titled("reference with a capital X", "Kiln&#X27;s rest", "Kiln's rest"),
    _titled("less-than before a digit", "P/E <9 at Kiln", "P/E <9 at Kiln"),
    _titled("less-than between blanks", "Kiln < Wick", "Kiln < Wick"),
    _titled("less-than and equals", "Kiln <= Wick", "Kiln <= Wick"),
    _titled("less-than before a money sign", "Kiln pays <$5bn", "Kiln pays <$5bn"),
    _titled("less-than before a word", "Kiln <wick then", "Kiln <wick then"),
    _titled("arrow", "Kiln <- Wick", "Kiln <- Wick"),
    _titled("end of CDATA in a text", "Kiln ]]> rest", "Kiln ]]> rest"),
    _titled("word in angle brackets", "Kiln <Wick> pays", "Kiln pays"),
    _titled("line break of HTML", "Kiln<br>pays", "Kiln pays"),
    _titled("closing tag of HTML", "Kiln</b> pays", "Kiln pays"),
    _titled("control 0x0B", "Kiln\x0b pays", "Kiln pays"),
    _titled("controls 0x00 and 0x1F", "Ki\x00ln\x1f pays", "Kiln pays", 2),
    _titled("control in CDATA", "<![CDATA[Kiln\x08 & Wick pay]]>", "Kiln & Wick pay"),
    _titled("noncharacter", "Kiln\uffff pays", "Kiln pays"),
    _titled("reference to a control", "Kiln&#11; pays", "Kiln pays"),
    _titled("reference to a surrogate", "Kiln&#xD83D; pays", "Kiln pays"),
    _titled("reference beyond Unicode", "Kiln&#9999999999; pays", "Kiln pays"),
    _titled("reference of Windows", "Kiln&#146;s rest &#151; Oslo", "Kiln\u2019s rest \u2014 Oslo", 2),
    _titled("comment with hyphens", "Kiln<!-- a -- b --> pays", "Kiln pays"),
    _titled("a character in two references", "Kiln &#55357;&#56832; &#xD83D;&#xDE00;", "Kiln \U0001f600 \U0001f600", 2),
    _titled("CDATA in small letters", "<![cdata[Kiln & Wick]]>", "Kiln & Wick"),
    _titled("CDATA in CDATA", "<![CDATA[<![CDATA[Kiln pays]]>]]>", "Kiln pays"),
    _changed("an attribute twice", "<guid>a2", '<guid isPermaLink="false" isPermaLink="true">a2'),
    _changed("an attribute without quotes", '<rss version="2.0"', "<rss version=2.0"),
    _changed("an attribute without a value", "<guid>a2", "<guid isPermaLink>a2"),
    _changed("attributes without a blank", "<description>Detail", '<enclosure url="https://k.example/a"length="1"/><description>Detail'),
    _changed("a prefix that is unbound again", "<description>Detail", '<q:x xmlns:q=""/><description>Detail'),
    _changed("a reserved prefix", '<rss version="2.0"', '<rss version="2.0" xmlns:xml="http://kiln.example/"'),
    _changed("a blank in a namespace", '<rss version="2.0"', '<rss version="2.0" xmlns=" http://backend.userland.com/rss2"'),
    _changed("the namespace of another vocabulary", '<rss version="2.0"', '<rss version="2.0" xmlns="http://www.w3.org/1999/xhtml"'),
    _changed("tags in two cases", "<guid>a2</guid>", "<Guid>a2</guid>"),
    _changed("a link that is not closed", "<description>Detail", '<atom:link href="https://k.example/2"><description>Detail', 2),
    _changed("a NUL before the declaration", "<?xml", "\0<?xml"),
    _changed("the DOCTYPE of a page", "<rss", "<!DOCTYPE html><rss"),
    _changed("blank lines before the declaration", "<?xml", "\r\n\n<?xml"),
    _changed("a warning before the declaration", "<?xml", "Warning: header() in feed.php on line 3\n<?xml"),
    _changed("a warning of HTML before the declaration", "<?xml", "<br />\n<b>Notice</b>: Undefined index<br />\n<?xml"),
    _changed("a comment before the declaration", "<?xml", "<!-- cached --><?xml"),
    _changed("rubbish behind the declaration", "<rss", "feed: <rss"),
    _changed("two marks of byte order", "<?xml", "\ufeff\ufeff<?xml"),
    _changed("two declarations", "<rss", '<?xml version="1.0"?><rss'),
    _changed("declaration without quotes", '<?xml version="1.0" encoding="UTF-8"?>', "<?xml version=1.0?>"),
    _changed("declaration of XML 1.1", 'version="1.0"', 'version="1.1"'),
    _changed("a script after the root", "</rss>\n", "</rss>\n<script>var a = 1 < 2;</script>"),
    _changed("a text after the root", "</rss>\n", "</rss> 0.12 s"),
    _changed("NULs after the root", "</rss>\n", "</rss>\x00\x00"),
    _changed("unbound prefix of an element", "<description>Detail", '<media:thumbnail url="https://kiln.example/2.jpg"/><description>Detail'),
    _changed("unbound prefix of an attribute", "<description>Detail", '<description xlink:type="simple">Detail'),
    _changed("two unbound prefixes", "<description>Detail", "<odd:a>1</odd:a><even:b>2</even:b><description>Detail", 2),
    _changed("ampersand in an attribute", "<description>Detail", '<enclosure url="https://k.example/?a=1&b=2"/><description>Detail'),
    _changed("less-than in an attribute", "<description>Detail", '<category domain="P/E <9">x</category><description>Detail'),
    _changed("entity in an attribute", "<description>Detail", '<category domain="a&nbsp;b">x</category><description>Detail'),
    _changed("DOCTYPE of RSS 0.91", "<rss", '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://d.example/rss.dtd">\n<rss'),
    _changed("DOCTYPE by its system", "<rss", '<!DOCTYPE rss SYSTEM "http://d.example/rss-0.91.dtd">\n<rss'),
    _changed("DOCTYPE alone", "<rss", "<!doctype rss>\n<rss"),
    Flawed(
        "DOCTYPE and its entities",
        FEED.replace("<rss", '<!DOCTYPE rss SYSTEM "http://d.example/rss-0.91.dtd">\n<rss').replace(TITLE, "Z&uuml;rich").encode(),
        "Z\u00fcrich",
        2,
    ),
    _bytes("a character in two halves", b"Kiln \xed\xa0\xbd\xed\xb8\x80 pays", "Kiln \U0001f600 pays"),
    _bytes("one byte of Latin-1", b"Caf\xe9 pays", "Caf\u00e9 pays"),
    _bytes("one quote of Windows", b"Kiln\x92s rest", "Kiln\u2019s rest"),
    _bytes("half a character", b"Kiln \xe2\x80 pays", "Kiln \ufffd pays"),
    _bytes("control of Latin-1", b"Kiln\x92s rest", "Kiln\u2019s rest", "iso-8859-1"),
)  # fmt: skip
