import time
from itertools import product

import pytest

from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.parsing.decoding import decode
from sentiment_platform.news.parsing.mending import MAX_MENDED
from sentiment_platform.news.parsing.parse import read_feed
from sentiment_platform_tests.news.parsing.flawed import FEED, FLAWED, OTHER_TITLES, TITLE, Flawed

URL = "https://feeds.example/news"


def titles(body: bytes, content_type: str = "") -> tuple[list[str | None], int]:
    feed = read_feed(body, source="s", url=URL, content_type=content_type)
    return [item.title for item in feed.items], feed.mended


def test_a_sound_feed_is_not_mended() -> None:
    assert titles(FEED.encode()) == ([OTHER_TITLES[0], TITLE, OTHER_TITLES[1]], 0)
    assert len({flawed.name for flawed in FLAWED}) == len(FLAWED) >= 40


@pytest.mark.parametrize("flawed", FLAWED, ids=lambda flawed: flawed.name)
def test_a_harmless_flaw_costs_no_item_and_is_counted(flawed: Flawed) -> None:
    assert titles(flawed.body) == ([OTHER_TITLES[0], flawed.title, OTHER_TITLES[1]], flawed.flaws)


def test_all_flaws_of_a_text_are_mended_at_once() -> None:
    written = "K&W&nbsp;\x0bpays <9 &#146;bn&#146; ]]> &wick; <Wick>"
    read, mended = titles(FEED.replace(TITLE, written).replace("</rss>\n", "</rss>x").encode())
    assert (read[1], mended) == ("K&W pays <9 \u2019bn\u2019 ]]> &wick;", 10)


@pytest.mark.parametrize(
    ("encoding", "bad"), [("shift_jis", b"\xff"), ("gb18030", b"\xff"), ("windows-1251", b"\x98"), ("euc_kr", b"\xff")]
)
def test_a_bad_byte_in_another_encoding_costs_that_place_alone(encoding: str, bad: bytes) -> None:
    letters = "\u044f\u043d\u0432\u0430\u0440\u044c" * 10
    body = FEED.replace("UTF-8", encoding).replace(TITLE, f"{letters} HERE").encode(encoding, "xmlcharrefreplace")
    read, mended = titles(body.replace(b"HERE", bad + b" end"))
    assert (read, mended) == ([OTHER_TITLES[0], letters + " \ufffd end", OTHER_TITLES[1]], 1)


@pytest.mark.parametrize(
    ("label", "encoding", "written"),
    [
        ("x-sjis", "cp932", "\u9020\u8239\u6240"),
        ("Windows-31J", "cp932", "\u9020\u8239\u6240"),
        ("x-gbk", "gbk", "\u8239\u5382"),
        ("macintosh", "mac_roman", "Z\u00fcrich\u2019s"),
        ("ISO-2022-JP", "iso2022_jp", "\u9020\u8239\u6240"),
        ("x-euc-jp", "euc_jp", "\u9020\u8239\u6240"),
    ],
)
def test_encodings_are_known_by_the_names_that_servers_give_them(label: str, encoding: str, written: str) -> None:
    for declared, content_type in ((label, ""), ("utf-8", f"text/xml; charset={label}")):
        body = (
            FEED.replace("UTF-8", declared)
            .replace(TITLE, written)
            .replace("Caf\u00e9", "Cafe")
            .replace("\u201c", "")
            .replace("\u201d", "")
        )
        assert titles(body.encode(encoding), content_type)[0][1] == written


@pytest.mark.parametrize("label", ["utf-8", "iso-8859-1", "windows-1252", "no-such"])
def test_one_bad_byte_does_not_hand_a_feed_to_a_wrong_label(label: str) -> None:
    body = FEED.replace(TITLE, "Z\u00fcrich \u2013 \u00d8resund \u00e0 HERE").encode().replace(b"HERE", b"Caf\xe9")
    read, mended = titles(body, f"text/xml; charset={label}")
    assert (read, mended) == ([OTHER_TITLES[0], "Z\u00fcrich \u2013 \u00d8resund \u00e0 Caf\u00e9", OTHER_TITLES[1]], 1)


def test_a_feed_that_only_calls_itself_utf_8_is_read_as_windows_1252() -> None:
    read, mended = titles(FEED.replace(TITLE, "Caf\u00e9 \u2013 Z\u00fcrich").encode("windows-1252"))
    assert read == [OTHER_TITLES[0], "Caf\u00e9 \u2013 Z\u00fcrich", OTHER_TITLES[1]]
    assert mended > 0
    assert decode("Caf\u00e9".encode("windows-1252")).replaced == 1


SUBSETS = (
    '[<!ENTITY a "b">]', '[<!ENTITY a SYSTEM "file:///etc/hostname">]', '[<!ENTITY % p SYSTEM "http://x.example/p"> %p;]',
    '[<!ELEMENT rss ANY>]', "[]", '[<!ENTITY a "&a;">]', '[<!ATTLIST rss a CDATA "x">]', '[<!NOTATION n SYSTEM "n">]',
)  # fmt: skip
NAMED = ("", 'SYSTEM "http://d.example/rss.dtd" ', 'PUBLIC "-//x//y" "http://d.example/rss.dtd" ')
PLACES = {
    "before the root": "<rss",
    "in the root": "<channel>",
    "in an item": "<link>https://kiln.example/2",
    "after the root": "</rss>\n",
}
ENCODINGS = ("utf-8", "utf-16", "utf-32-be", "iso-8859-1")


def hostile() -> list[bytes]:
    variants = list[bytes]()
    for subset, named, place, word in product(SUBSETS, NAMED, PLACES.values(), ("DOCTYPE", "doctype")):
        declaration = f"<!{word} rss {named}{subset}>"
        text = FEED.replace(place, f"{place}{declaration}" if place == "</rss>\n" else f"{declaration}{place}", 1)
        encoding = ENCODINGS[len(variants) % len(ENCODINGS)]
        variants.append(text.replace(TITLE, "&a; pays").encode(encoding, "xmlcharrefreplace"))
    for entity in ('<!ENTITY a "b">', '<!ENTITY a SYSTEM "file:///etc/hostname">'):
        variants += (FEED.replace(place, f"{entity}{place}", 1).encode() for place in PLACES.values())
    for system in ("file:///etc/hostname", "/etc/hostname", "FILE:/etc/hostname", "\\\\host\\share"):
        variants += (
            FEED.replace("<rss", f'<!DOCTYPE rss {kind} "{system}"><rss').encode() for kind in ("SYSTEM", 'PUBLIC "-//x"')
        )
    return variants


def test_whatever_declares_anything_stays_refused() -> None:
    refused = hostile()
    assert len(set(refused)) == len(refused) >= 200
    for body in refused:
        with pytest.raises(NotAFeedError):
            read_feed(body, source="s", url=URL)


@pytest.mark.parametrize(
    "text",
    [
        FEED[: FEED.index("</channel>")],
        FEED[: FEED.index("</channel>")].replace(TITLE, "K&W"),
        FEED.replace("</item>", "", 1),
        FEED.replace("</channel>", "").replace(TITLE, "K & W"),
        FEED.replace(TITLE, "Kiln <!-- pays"),
        FEED.replace(TITLE, "Kiln <![CDATA[ pays & more"),
        FEED + FEED,
        FEED + "<!DOCTYPE html><html></html>",
        f"<response>{FEED[39:]}</response>",
        f"<html><body>{FEED[39:]}</body></html>",
        '<!DOCTYPE rss SYSTEM "http://d.example/d.dtd">' + FEED[39:].replace(TITLE, "&unknown;" * 3),
        FEED.replace(TITLE, "&" * (MAX_MENDED + 1)),
        FEED.replace("<description>Detail", "".join(f"<p{n}:a/>" for n in range(60)) + "<description>Detail"),
        "junk <?xml version='1.0'?> " * 3_000 + FEED,
    ],
)  # fmt: skip
def test_what_is_cut_off_wrapped_or_doubtful_stays_refused(text: str) -> None:
    with pytest.raises(NotAFeedError):
        read_feed(text.encode(), source="s", url=URL)


def test_mending_takes_time_in_proportion_to_the_text() -> None:
    def seconds(times: int) -> float:
        body = FEED.replace("Detail", '<a b=\'&" <i <x y="<a & &nbsp; <!- ]]> </b> ' * times).encode()
        started = time.process_time()
        with pytest.raises(NotAFeedError, match="flaws"):
            read_feed(body, source="s", url=URL)
        return time.process_time() - started

    short, long = min(seconds(8_000) for _ in range(2)), seconds(64_000)
    assert long < 2.0
    assert long <= max(12 * short, 0.3)
