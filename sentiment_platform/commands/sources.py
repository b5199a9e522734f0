"""`news sources`: which sources there are, which are on, why the others are off, and how each fared."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import Cell, joined, note, print_json, show_table, styled
from sentiment_platform.commands.parameters import json_option

if TYPE_CHECKING:
    from sentiment_platform.news.sources.configured import ConfiguredSource
    from sentiment_platform.store.sources import SourceState

_REASON_CHARACTERS = 80
COLUMNS = ["source", "kind", "state", "checked", "requests today", "last success", "last failure"]


@click.command()
@click.option(
    "--catalogue", is_flag=True, help="Print the shipped catalogue instead: every kind of source with its keys, as TOML."
)
@json_option
def sources(catalogue: bool, as_json: bool) -> None:
    """List every news source: state, verification, quota of today, last success, last failure.

    As JSON: one object a source, those that are on first.

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

    \b
    Examples:
      sentiment-platform news sources
      sentiment-platform news sources --catalogue > sources.toml
      sentiment-platform news sources --json
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.news.sources.catalogue import SHIPPED
    from sentiment_platform.news.sources.configured import configured_sources, nothing_on
    from sentiment_platform.store.sources import read_source_states

    if catalogue:
        click.echo(SHIPPED.read_text(encoding="utf-8"))
        return
    with connected_session() as (settings, engine), engine.connect() as connection:
        configured = configured_sources(settings, os.environ)
        states = read_source_states(connection)
    if as_json:
        print_json([_described(source, states.get(source.name)) for source in in_order(configured)])
        return
    on = sum(source.off is None for source in configured)
    show_table(COLUMNS, source_rows(in_order(configured), states, utc_now()), title=f"{on} of {len(configured)} on")
    if reason := nothing_on(configured):
        note(reason)


def in_order(configured: "Iterable[ConfiguredSource]") -> "list[ConfiguredSource]":
    """Those that are on first, then those that somebody asked for."""
    return sorted(configured, key=lambda source: (source.off is not None, not source.chosen, source.name))


def source_rows(configured: "Sequence[ConfiguredSource]", states: "Mapping[str, SourceState]", now: datetime) -> list[list[Cell]]:
    """One row a source."""
    from sentiment_platform.store.sources import SourceState

    rows: list[list[Cell]] = []
    for source in configured:
        state = states.get(source.name, SourceState(source=source.name))
        title = source.entry.title if source.entry.title != source.name else ""
        rows.append(
            [
                joined(source.name, styled(f"\n{title}", "dim") if title else ""),
                source.kind,
                _state(source),
                styled("verified", "green") if source.entry.verified else "own" if source.own else styled("unverified", "yellow"),
                _quota(source, state, now),
                state.last_success_at or "never",
                _failure(state),
            ]
        )
    return rows


def _described(source: "ConfiguredSource", state: "SourceState | None") -> dict[str, Any]:
    return {
        "name": source.name,
        "title": source.entry.title,
        "kind": source.kind,
        "on": source.off is None,
        "chosen": source.chosen,
        "off": source.off,
        "verified": source.entry.verified,
        "own": source.own,
        "quota_per_day": source.entry.quota_per_day,
        "quota_day": state.quota_day if state else None,
        "quota_used": state.quota_used if state else 0,
        "last_success_at": state.last_success_at if state else None,
        "last_failure_at": state.last_failure_at if state else None,
        "last_failure": state.last_failure if state else None,
        "consecutive_failures": state.consecutive_failures if state else 0,
    }


def _state(source: "ConfiguredSource") -> Cell:
    if source.off is None:
        return joined(styled("on", "green"), "" if source.source.live else " for backfills")
    return styled(f"off: {source.off}", "yellow" if source.chosen else "dim")


def _quota(source: "ConfiguredSource", state: "SourceState", now: datetime) -> str:
    used = state.quota_used if state.quota_day == now.astimezone(UTC).date() else 0
    quota = source.entry.quota_per_day
    return f"{used:,} of {quota:,}" if quota else f"{used:,}"


def _failure(state: "SourceState") -> Cell:
    if state.last_failure_at is None:
        return "none"
    times = f" ({state.consecutive_failures} in a row)" if state.consecutive_failures > 1 else ""
    at = f"{state.last_failure_at.astimezone(UTC):%Y-%m-%d %H:%M}"
    return styled(
        f"{at}{times}: {(state.last_failure or '')[:_REASON_CHARACTERS]}", "red" if state.consecutive_failures else "dim"
    )
