"""`news sources`: which sources there are, which are on, why the others are off, and how each fared."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click
from rich.table import Table
from rich.text import Text

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.local.session import connected_session
from sentiment_platform.news.sources.catalogue import SHIPPED
from sentiment_platform.news.sources.configured import ConfiguredSource, configured_sources, nothing_on
from sentiment_platform.store.sources import SourceState, read_source_states

_REASON_CHARACTERS = 80


@click.command()
@click.option(
    "--catalogue", is_flag=True, help="Print the shipped catalogue instead: every kind of source with its keys, as TOML."
)
@shows_errors
def sources(catalogue: bool) -> None:
    """List every news source: state, verification, quota of today, last success, last failure.

    \b
    Switch sources on by name, and give each the key that it needs:
      SENTIMENT_SOURCES=tiingo,sec  TIINGO_API_KEY=...  SENTIMENT_CONTACT=you@example.org
    Add a vendor without code: copy an entry of `--catalogue` into a file of your own, change it, and name the file:
      SENTIMENT_SOURCES=tiingo,./sources.toml
    A single feed needs no file:
      SENTIMENT_FEEDS=ledger=https://ledger.example/rss

    \b
    verified     a recorded reply of the source is read in the tests
    unverified   written after the vendor's documentation; watch its first collection
    own          yours
    """
    if catalogue:
        click.echo(SHIPPED.read_text(encoding="utf-8"))
        return
    with connected_session() as (settings, engine), engine.connect() as connection:
        configured = configured_sources(settings, os.environ)
        states = read_source_states(connection)
    console.print(sources_table(configured, states, utc_now()))
    if reason := nothing_on(configured):
        console.print(Text(reason))


def sources_table(configured: Sequence[ConfiguredSource], states: Mapping[str, SourceState], now: datetime) -> Table:
    """One line a source, those that are on first."""
    on = sum(source.off is None for source in configured)
    table = Table(
        "source",
        "kind",
        "state",
        "checked",
        "requests today",
        "last success",
        "last failure",
        title=f"{on} of {len(configured)} on",
    )
    for source in sorted(configured, key=lambda source: (source.off is not None, not source.chosen, source.name)):
        state = states.get(source.name, SourceState(source=source.name))
        table.add_row(
            f"{source.name}\n[dim]{source.entry.title}[/]" if source.entry.title != source.name else source.name,
            source.kind,
            _state(source),
            "[green]verified[/]" if source.entry.verified else "own" if source.own else "[yellow]unverified[/]",
            _quota(source, state, now),
            _time(state.last_success_at),
            _failure(state),
        )
    return table


def _state(source: ConfiguredSource) -> str:
    if source.off is None:
        return "[green]on[/]" if source.source.live else "[green]on[/] for backfills"
    return f"[yellow]off: {source.off}[/]" if source.chosen else f"[dim]off: {source.off}[/]"


def _quota(source: ConfiguredSource, state: SourceState, now: datetime) -> str:
    used = state.quota_used if state.quota_day == now.astimezone(UTC).date() else 0
    quota = source.entry.quota_per_day
    return f"{used:,} of {quota:,}" if quota else f"{used:,}"


def _time(time: datetime | None) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}" if time else "never"


def _failure(state: SourceState) -> str:
    if state.last_failure_at is None:
        return "none"
    times = f" ({state.consecutive_failures} in a row)" if state.consecutive_failures > 1 else ""
    text = f"{_time(state.last_failure_at)}{times}: {(state.last_failure or '')[:_REASON_CHARACTERS]}"
    return f"[red]{text}[/]" if state.consecutive_failures else f"[dim]{text}[/]"
