"""Compressed bodies as servers send them, in one chunk and byte by byte."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from sentiment_platform.fetching.answers import read_answer
from sentiment_platform.fetching.errors import SourceRefusedError, SourceUnreachableError

BODY = b"<rss>" + bytes(range(32, 120)) * 40 + b"</rss>"
LIMIT = 100_000


class Chunks(httpx.AsyncByteStream):
    def __init__(self, body: bytes, size: int) -> None:
        self._chunks = [body[at : at + size] for at in range(0, len(body), size)]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def read(body: bytes, encoding: str, size: int = 1_000_000, max_bytes: int = LIMIT) -> bytes:
    response = httpx.Response(200, headers={"content-encoding": encoding}, stream=Chunks(body, size))
    url = httpx.URL("https://feeds.example/rss")
    now = datetime(2025, 1, 6, tzinfo=UTC)
    return asyncio.run(read_answer(response, url, now, max_bytes=max_bytes, conditional=False)).body


def raw_deflate(body: bytes, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(body) + packer.flush()


def with_every_header_field(body: bytes) -> bytes:
    """Gzip with extra field, name, comment and the header's checksum (RFC 1952, section 2.3)."""
    head = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x04\x00abcd" + b"rss.xml\0" + b"a feed\0"
    return head + (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little") + gzip.compress(body)[10:]


SOUND = {
    "gzip": ("gzip", gzip.compress(BODY)),
    "x-gzip in capitals": ("X-GZIP", gzip.compress(BODY)),
    "a charset where a coding belongs": ("UTF-8", BODY),
    "none": ("none", BODY),
    "gzip and a charset": ("gzip, utf-8", gzip.compress(BODY)),
    "gzip and identity": ("gzip, identity", gzip.compress(BODY)),
    "gzip with every field": ("gzip", with_every_header_field(BODY)),
    "two members": ("gzip", gzip.compress(BODY[:100]) + gzip.compress(BODY[100:])),
    "thirty members, some empty": ("gzip", b"".join(gzip.compress(part) for n in range(30) for part in (BODY[n * 120 : n * 120 + 120], b""))),
    "zeros after the end": ("gzip", gzip.compress(BODY) + bytes(700)),
    "zeros between members": ("gzip", gzip.compress(BODY[:9]) + bytes(3) + gzip.compress(BODY[9:])),
    "zlib": ("deflate", zlib.compress(BODY)),
    "zlib of a small window": ("deflate", (lambda c: c.compress(BODY) + c.flush())(zlib.compressobj(9, zlib.DEFLATED, 9))),
    "zlib and zeros": ("deflate", zlib.compress(BODY) + bytes(5)),
    "raw deflate": ("deflate", raw_deflate(BODY)),
    "raw deflate, stored": ("deflate", raw_deflate(BODY, 0)),
    "raw deflate, fixed codes": ("deflate", (lambda c: c.compress(BODY) + c.flush())(zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_FIXED))),
    "raw deflate and zeros": ("deflate", raw_deflate(BODY) + bytes(5)),
    "gzip said to be deflate": ("deflate", gzip.compress(BODY)),
}  # fmt: skip


@pytest.mark.parametrize("size", [1_000_000, 1, 7])
@pytest.mark.parametrize("name", SOUND)
def test_whatever_the_standards_allow_is_read_whole(name: str, size: int) -> None:
    encoding, packed = SOUND[name]
    expected = BODY[:3600] if "thirty" in name else BODY
    assert read(packed, encoding, size) == expected


@pytest.mark.parametrize("size", [1_000_000, 1])
@pytest.mark.parametrize("name", ["gzip", "gzip with every field", "two members", "zlib", "raw deflate", "raw deflate, stored"])
def test_a_body_that_is_cut_anywhere_is_an_error(name: str, size: int) -> None:
    encoding, packed = SOUND[name]
    first_member = len(gzip.compress(BODY[:100])) if name == "two members" else 0
    for cut in {*range(0, len(packed), 41), 1, 2, len(packed) - 1, len(packed) - 4, first_member + 1, first_member + 9} - {
        first_member
    }:
        with pytest.raises(SourceUnreachableError, match=r"truncated|broken"):
            read(packed[:cut], encoding, size)


@pytest.mark.parametrize("size", [1_000_000, 1])
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", BODY),
        ("deflate", BODY),
        ("gzip", gzip.compress(BODY)[:-8] + bytes(8)),
        ("gzip", gzip.compress(BODY) + b"more"),
        ("gzip", gzip.compress(BODY) + raw_deflate(BODY)),
        ("deflate", zlib.compress(BODY) + b"more"),
        ("deflate", zlib.compress(BODY)[:-1] + b"\x00"),
        ("deflate", raw_deflate(BODY) + raw_deflate(BODY)),
        ("gzip", gzip.compress(b"") * 10_001),
    ],
)
def test_broken_data_and_what_goes_on_after_the_end_are_errors(encoding: str, packed: bytes, size: int) -> None:
    with pytest.raises((SourceUnreachableError, SourceRefusedError), match=r"broken|truncated|more than"):
        read(packed, encoding, size, max_bytes=LIMIT if len(packed) < LIMIT else len(packed))


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, br", "gzip, gzip"])
def test_an_encoding_that_was_not_offered_is_refused_by_its_name(encoding: str) -> None:
    with pytest.raises(SourceRefusedError, match=f"the encoding '{encoding}', which was not offered"):
        read(gzip.compress(BODY), encoding)


@pytest.mark.parametrize("size", [1_000_000, 1])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw_deflate, lambda body: gzip.compress(body[:LIMIT]) * 3])
def test_a_bomb_ends_at_the_bound(pack: object, size: int) -> None:
    with pytest.raises(SourceRefusedError, match="more than 100,000 bytes"):
        read(pack(bytes(3_000_000)), "gzip" if pack in (gzip.compress,) else "deflate", size)  # type: ignore[operator]
