"""A client of GET /events that reads server-sent events as the standard says."""

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec


@dataclass(frozen=True)
class Told:
    """One event: its id ("" without one), its type, its data."""

    id: str
    kind: str
    data: dict[str, Any]


@contextlib.contextmanager
def listening(url: str, last: str = "") -> Generator[Iterator[Told]]:
    """The events of one stream; it ends with the process, or when the block is left."""
    headers = {"Last-Event-ID": last} if last else {}
    with httpx.stream("GET", f"{url}/events", headers=headers, timeout=20) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        yield _read(reply.iter_lines())


def _read(lines: Iterator[str]) -> Iterator[Told]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name and value:
            fields[name] = value
        elif not line:
            if "data" in fields:
                yield Told(fields.get("id", ""), fields["event"], msgspec.json.decode(fields["data"]))
            fields = {}
