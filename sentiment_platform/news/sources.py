"""Which feeds are collected: the setting `SENTIMENT_FEEDS`, read into names and addresses."""

import re
from dataclasses import dataclass

from sentiment_platform.errors import SettingsError

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class FeedSource:
    """One feed under the name that its articles carry as `source`."""

    name: str
    url: str


def feed_sources(setting: str) -> tuple[FeedSource, ...]:
    """The `name=url` pairs of the setting, separated by commas; an address may contain commas and equals signs.

    Raises:
        SettingsError: a pair is malformed, or a name is used twice.
    """
    remedy = "SENTIMENT_FEEDS is `name=https://...,name=https://...`; names are lower-case letters, digits and `_.-`."
    sources: dict[str, FeedSource] = {}
    for pair in filter(None, (part.strip() for part in re.split(r",(?=\s*[\w.-]+\s*=\s*\w+://|\s*$)", setting))):
        name, _, url = (part.strip() for part in pair.partition("="))
        if not _NAME.fullmatch(name) or "://" not in url:
            raise SettingsError(f"The feed {pair!r} is not a name and an address.", remedy=remedy)
        if name in sources:
            raise SettingsError(f"Two feeds are called {name!r}.", remedy=remedy)
        sources[name] = FeedSource(name, url)
    return tuple(sources.values())
