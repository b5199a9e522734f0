"""What a source asks with: the polite client, the validators of the last success, and the count of requests for the quota."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sentiment_platform.fetching.http import Fetched
from sentiment_platform.fetching.politeness import PoliteClient, pace_of
from sentiment_platform.news.collect.validators import Validators, visit
from sentiment_platform.news.parsing.parse import ParsedFeed
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform.news.sources.entries import Entry
from sentiment_platform.store.sources import SourceState


@dataclass(slots=True, kw_only=True)
class Asker:
    """For one turn of one source. `charge` is called before each request; `validators` are what the next turn should send."""

    client: PoliteClient
    parser: FeedParser
    source: str
    now: datetime
    per_second: float
    validators: Validators
    charge: Callable[[], None]

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, conditional: bool = False) -> Fetched:
        """GET `url`. With `conditional` an answer whose bytes are those of the last success is `not_modified`, whatever it says."""
        per_second = pace_of(url, self.per_second)
        if not conditional:
            return self.client.get(url, now=self.now, headers=headers, per_second=per_second, charge=self.charge)
        seen = visit(
            self.client,
            url,
            self.validators,
            name=self.source,
            now=self.now,
            headers=headers,
            per_second=per_second,
            charge=self.charge,
        )
        self.validators = seen.validators
        return seen.fetched

    def read_feed(self, fetched: Fetched, source: str, entry: Entry) -> ParsedFeed:
        """An RSS or Atom document, read in a process of its own; `entry` says on which clock its times are."""
        return self.parser.read(
            fetched.body,
            source=source,
            url=fetched.url,
            content_type=fetched.content_type,
            zone=entry.zone,
            date_format=entry.date_format,
        )


def remembered(state: SourceState) -> Validators:
    """What the last success of a source left to send."""
    return Validators(state.etag, state.last_modified, state.body_hash, state.validators_broken)
