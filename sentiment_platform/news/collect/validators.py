"""What a server's ETag and Last-Modified are worth, and whether an answer brings anything new.

A 304 is believed, but once an hour the body is asked for as well: servers exist that answer 304 although the content changed. One
that does so again while its body is no longer the one those validators came with is asked without validators from then on. The
opposite, new validators for the same bytes, is harmless: the hash of the body says that there is nothing to parse.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zlib import crc32

from sentiment_platform.fetching.answers import Fetched
from sentiment_platform.fetching.politeness import GENTLE_PER_SECOND, PoliteClient

_TICK_S = 15 * 60
_TICKS_BETWEEN_PROBES = 4


@dataclass(frozen=True, slots=True)
class Validators:
    """What is remembered of the last answer of one address that was used."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    are_broken: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """An answer, marked `not_modified` and without its body if that is the same as last time; and what to remember once it was used."""

    fetched: Fetched
    validators: Validators


def is_probe_due(name: str, now: datetime) -> bool:
    """Whether a 304 of this source is checked at the tick of `now`: every fourth, and not for all sources at the same one."""
    return int(now.timestamp()) // _TICK_S % _TICKS_BETWEEN_PROBES == crc32(name.encode()) % _TICKS_BETWEEN_PROBES


def visit(
    client: PoliteClient,
    url: str,
    known: Validators,
    *,
    name: str,
    now: datetime,
    headers: Mapping[str, str] | None = None,
    per_second: float = GENTLE_PER_SECOND,
    charge: Callable[[], None] | None = None,
) -> Visit:
    """GET `url` on the condition that it changed since `known`, as far as its server can be believed.

    Raises: what `PoliteClient.get` raises.
    """

    def get(etag: str | None, last_modified: str | None) -> Fetched:
        return client.get(
            url, now=now, etag=etag, last_modified=last_modified, headers=headers, per_second=per_second, charge=charge
        )

    conditions = (None, None) if known.are_broken else (known.etag, known.last_modified)
    fetched, broken = get(*conditions), known.are_broken
    if fetched.not_modified:
        if known.body_hash is not None and not is_probe_due(name, now):
            return Visit(fetched, known)
        fetched = get(None, None)
        if known.body_hash is not None and fetched.body_hash != known.body_hash:
            # Perhaps it changed just now: only a server that still denies it has broken validators.
            broken = get(*conditions).not_modified
    learned = Validators(fetched.etag, fetched.last_modified, fetched.body_hash, broken)
    if learned.body_hash == known.body_hash:
        fetched = replace(fetched, not_modified=True, body=b"")
    return Visit(fetched, learned)
