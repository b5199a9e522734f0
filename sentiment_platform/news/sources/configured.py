"""Which sources there are, which are on, and why the others are off: the catalogue, SENTIMENT_SOURCES, SENTIMENT_FEEDS and the keys.

Nothing is asked here; an off source costs nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sentiment_platform.errors import SettingsError
from sentiment_platform.news.archive import parse_mapping
from sentiment_platform.news.errors import ArchiveError
from sentiment_platform.news.sources.archive import ArchiveSource
from sentiment_platform.news.sources.catalogue import NAME, CatalogueEntry, read_catalogue
from sentiment_platform.news.sources.entries import ArchiveEntry, Entry, JsonApiEntry, RssEntry, SecEntry
from sentiment_platform.news.sources.json_api import JsonApiSource
from sentiment_platform.news.sources.protocol import Source
from sentiment_platform.news.sources.rss import RssSource
from sentiment_platform.news.sources.sec import SecSource
from sentiment_platform.settings import Settings

NOT_CHOSEN = "not named in SENTIMENT_SOURCES"
HOW_TO_CHOOSE = (
    "Choose one: SENTIMENT_SOURCES=gdelt needs no key, SENTIMENT_FEEDS=name=https://... is any RSS or Atom feed; in the shell or in .env. "
    "`sentiment-platform news sources` lists what there is, `sentiment-platform news try` shows what one would bring."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredSource:
    """A source, what its entry says, and whether it takes part.

    `off`: why it is off, None when it is on. `chosen`: whether somebody asked for it; a source that is chosen and yet off is reported.
    `own`: whether it stands in SENTIMENT_FEEDS or in a file of the user.
    """

    source: Source
    entry: Entry
    kind: str
    chosen: bool = True
    off: str | None = None
    own: bool = True

    @property
    def name(self) -> str:
        """The name that its articles carry as `source`."""
        return self.source.name


def nothing_on(sources: Iterable[ConfiguredSource]) -> str | None:
    """Why no source is on, with the remedy: none is chosen, or each that is chosen is off. None where one is on."""
    chosen_ones = [source for source in sources if source.chosen]
    if not chosen_ones:
        return f"No source of news is chosen. {HOW_TO_CHOOSE}"
    if any(source.off is None for source in chosen_ones):
        return None
    reasons = "; ".join(f"{source.name}: {source.off}" for source in chosen_ones)
    return f"No source of news is on. Each that is chosen is off: {reasons}."


def configured_sources(settings: Settings, environ: Mapping[str, str]) -> tuple[ConfiguredSource, ...]:
    """Every known source, those of SENTIMENT_FEEDS first. `environ` holds the keys that entries name.

    Raises:
        SettingsError: a malformed setting or catalogue, an unknown name, or a name that is used twice.
    """
    names, files = chosen(settings.sources)
    catalogue = read_catalogue(files)
    unknown = sorted(names - catalogue.keys())
    if unknown:
        raise SettingsError(
            f"SENTIMENT_SOURCES names {', '.join(unknown)}, which no catalogue has.",
            remedy="`sentiment-platform news sources` lists the names; a file of your own is named by a path that ends in .toml.",
        )
    by_name = {source.name: source for source in _feeds(settings.feeds)}
    for name, entry in catalogue.items():
        if name in by_name:
            raise SettingsError(
                f"SENTIMENT_FEEDS and {entry.file} both have a source called {name!r}.",
                remedy="Rename the one in SENTIMENT_FEEDS.",
            )
        by_name[name] = _configured(entry, name in names, settings, environ)
    return tuple(by_name.values())


def source_to_try(what: str, settings: Settings, environ: Mapping[str, str]) -> ConfiguredSource:
    """The source that `what` means, as if it were chosen: the address of a feed, or a name of the catalogue or the configuration.

    Raises:
        SettingsError: there is no such source, or the configuration is malformed.
    """
    if "://" in what:
        entry = RssEntry(title=what, url=what, enabled=True)
        return ConfiguredSource(source=RssSource("feed", entry), entry=entry, kind="rss")
    known = {source.name: source for source in configured_sources(settings, environ)}
    if what not in known:
        raise SettingsError(
            f"There is no source {what!r}.",
            remedy="Give the address of a feed (https://...), or a name of `sentiment-platform news sources`; SENTIMENT_SOURCES names a file of your own.",
        )
    if known[what].chosen:
        return known[what]
    chosen_too = replace(settings, sources=f"{settings.sources},{what}")
    return next(source for source in configured_sources(chosen_too, environ) if source.name == what)


def chosen(setting: str) -> tuple[set[str], list[Path]]:
    """SENTIMENT_SOURCES: names of sources, and paths of catalogue files (they end in `.toml`), separated by commas."""
    parts = [part for part in (part.strip() for part in setting.split(",")) if part]
    files = [Path(part).expanduser() for part in parts if part.endswith(".toml")]
    return {part for part in parts if not part.endswith(".toml")}, files


def feed_pairs(setting: str) -> dict[str, str]:
    """SENTIMENT_FEEDS: `name=url` pairs, separated by commas; an address may contain commas and equals signs.

    Raises:
        SettingsError: a pair is malformed, or a name is used twice.
    """
    remedy = "SENTIMENT_FEEDS is `name=https://...,name=https://...`; names are lower-case letters, digits and `_.-`."
    feeds: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in re.split(r",(?=\s*[\w.-]+\s*=\s*\w+://|\s*$)", setting))):
        name, _, url = (part.strip() for part in pair.partition("="))
        if not NAME.fullmatch(name) or "://" not in url:
            raise SettingsError(f"The feed {pair!r} is not a name and an address.", remedy=remedy)
        if name in feeds:
            raise SettingsError(f"Two feeds are called {name!r}.", remedy=remedy)
        feeds[name] = url
    return feeds


def _feeds(setting: str) -> list[ConfiguredSource]:
    entries = {name: RssEntry(title=name, url=url, enabled=True) for name, url in feed_pairs(setting).items()}
    return [ConfiguredSource(source=RssSource(name, entry), entry=entry, kind="rss") for name, entry in entries.items()]


def _configured(listed: CatalogueEntry, named: bool, settings: Settings, environ: Mapping[str, str]) -> ConfiguredSource:
    wanted = named or listed.entry.enabled
    made = replace(_made(listed, settings, environ), own=listed.own)
    return made if wanted else replace(made, chosen=False, off=NOT_CHOSEN if not listed.own else "`enabled = false` in its entry")


def _made(listed: CatalogueEntry, settings: Settings, environ: Mapping[str, str]) -> ConfiguredSource:
    name = listed.name
    match listed.entry:
        case RssEntry() as entry:
            return ConfiguredSource(source=RssSource(name, entry), entry=entry, kind="rss")
        case SecEntry() as entry:
            source = SecSource(name=name, entry=entry, contact=settings.contact, cache=settings.state_dir / "cache")
            return ConfiguredSource(source=source, entry=entry, kind="sec")
        case ArchiveEntry() as entry:
            try:
                columns = parse_mapping(entry.columns)
            except ArchiveError as error:
                raise SettingsError(
                    f"{listed.file}, entry [{name}]: key `columns`: {error.message}", remedy=error.remedy
                ) from error
            path = listed.file.parent / Path(entry.path).expanduser()
            off = None if path.is_file() else f"there is no file {path}"
            source = ArchiveSource(name=name, path=path, columns=columns, stated=entry.stated(), written=entry.written())
            return ConfiguredSource(source=source, entry=entry, kind="archive", off=off)
        case JsonApiEntry() as entry:
            key = environ.get(entry.auth.variable, "").strip() if entry.auth else ""
            off = f"{entry.auth.variable} is not set" if entry.auth and not key else None
            return ConfiguredSource(source=JsonApiSource(name, entry, key), entry=entry, kind="json_api", off=off)
