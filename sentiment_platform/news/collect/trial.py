"""One source, asked once and looked at: what collection would take in and what it would refuse. Nothing is stored, no database is needed.

Fetching, parsing and judging are collection's own. Not here: quotas, validators and the place to go on, which need what is remembered.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sentiment_platform.errors import SettingsError, TransientError
from sentiment_platform.fetching.errors import SourceUnreachableError
from sentiment_platform.fetching.http import FetchLimits, user_agent
from sentiment_platform.fetching.politeness import PoliteClient
from sentiment_platform.news.collect.asker import Asker
from sentiment_platform.news.collect.progress import Progress
from sentiment_platform.news.collect.validators import Validators
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform.news.quality import Refusal, judge
from sentiment_platform.news.sources.configured import ConfiguredSource
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.news.sources.sec import SecSource
from sentiment_platform.settings import Settings

_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The first page of a source: items that keep the contract and those that break it, each in the source's order.

    `more`: whether the source has further pages. `note`: what a person should read of the page.
    """

    source: str
    kind: str
    accepted: tuple[RawItem, ...]
    refused: tuple[Refusal, ...]
    more: bool
    note: str | None


def try_source(configured: ConfiguredSource, settings: Settings, now: datetime) -> Trial:
    """Ask a source for its first page, as the regular collection would the first time; an archive gives its first rows.

    Raises:
        SettingsError: the source is off.
        TransientError: the source gave no usable answer this time.
        SourceRefusedError, NotAFeedError, ArchiveError: what a collection would report.
    """
    if configured.off is not None:
        raise SettingsError(
            f"The source {configured.name} is off: {configured.off}.",
            remedy="Set that right, in the shell or in .env, and try again.",
        )
    source = configured.source
    if isinstance(source, SecSource):
        source = replace(source, cache=None)
    window = Progress().next_live(configured.entry, now).window if source.live else Window(_OLDEST, now + timedelta(days=1))
    limits = FetchLimits(allow_private_hosts=settings.allow_private_hosts == "yes")
    with FeedParser() as parser:
        asker = Asker(
            client=PoliteClient(agent=user_agent(settings.contact), limits=limits),
            parser=parser,
            source=source.name,
            now=now,
            per_second=configured.entry.requests_per_s,
            validators=Validators(),
            charge=lambda: None,
        )
        try:
            page = next(source.pages(window, None, asker))
        except SourceUnreachableError as error:
            # Collection comes back by itself; a person has to.
            raise TransientError(error.message, remedy="Check the address and the network, then try again.") from error
    judgement = judge(page.items, now)
    return Trial(
        source=source.name,
        kind=configured.kind,
        accepted=judgement.accepted,
        refused=judgement.refused,
        more=page.next is not None,
        note=page.note,
    )
