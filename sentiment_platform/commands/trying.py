"""`news try`: what one feed or source would bring, before it is switched on."""

import os
from typing import TYPE_CHECKING, Any

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, print_json, say, show_table
from sentiment_platform.commands.parameters import COUNT, json_option

if TYPE_CHECKING:
    from sentiment_platform.news.collect.trial import Trial
    from sentiment_platform.news.items import RawItem

_HEADLINE_CHARACTERS = 150


@click.command("try")
@click.argument("source", metavar="URL|ENTRY")
@click.option("--limit", type=COUNT, default=5, help="Items to show, and as many of the refused.")
@json_option
def try_command(source: str, limit: int, as_json: bool) -> None:
    """Fetch one feed, or one entry of the catalogue, as collection would, and show what it brings. Nothing is stored.

    An entry need not be switched on; its key stands in the shell or in .env. An entry of a file of your own is found when
    SENTIMENT_SOURCES names the file. No database is needed.

    As JSON: {"source", "kind", "counts", "items": [...], "refused": [...], "more", "note"}.

    \b
    Examples:
      sentiment-platform news try https://ledger.example/rss
      TIINGO_API_KEY=... sentiment-platform news try tiingo --json
    """
    from sentiment_platform.news.collect.trial import try_source
    from sentiment_platform.news.sources.configured import source_to_try
    from sentiment_platform.settings import Settings

    settings = Settings.from_environment()
    trial = try_source(source_to_try(source, settings, os.environ), settings, utc_now())
    if as_json:
        print_json(_document(trial, limit))
        return
    show_table(
        ["published", "headline", "symbols", "link"],
        [(_published(item), _headline(item), ", ".join(item.tickers), item.url) for item in trial.accepted[:limit]],
        title=f"{source}: the first {min(limit, len(trial.accepted))} of {len(trial.accepted):,} items that would be stored",
        empty="No item would be stored.",
    )
    if trial.refused:
        show_table(
            ["rule", "what is wrong", "headline", "published, as written"],
            [(one.rule, one.detail, _headline(one.item), one.item.published_text) for one in trial.refused[:limit]],
            title=f"{len(trial.refused):,} would be refused",
        )
    else:
        say("Nothing would be refused.")
    if trial.note:
        note(trial.note, style="yellow")
    if trial.more:
        note("The source has more: this is its first page.")
    switch = f"SENTIMENT_FEEDS=name={source}" if "://" in source else f"SENTIMENT_SOURCES={source}"
    note(f"Nothing was stored. To collect it, in the shell or in .env: {switch}")


def _headline(item: "RawItem") -> str:
    title = item.title or ""
    return title if len(title) <= _HEADLINE_CHARACTERS else f"{title[: _HEADLINE_CHARACTERS - 1]}…"


def _published(item: "RawItem") -> str:
    if item.published_at is None:
        return ""
    return f"{item.published_at:%Y-%m-%d} (day only)" if item.day_only else f"{item.published_at:%Y-%m-%d %H:%M} UTC"


def _document(trial: "Trial", limit: int) -> dict[str, Any]:
    return {
        "source": trial.source,
        "kind": trial.kind,
        "counts": {"accepted": len(trial.accepted), "refused": len(trial.refused)},
        "items": [_row(item) for item in trial.accepted[:limit]],
        "refused": [_row(one.item) | {"rule": one.rule, "detail": one.detail} for one in trial.refused[:limit]],
        "more": trial.more,
        "note": trial.note,
    }


def _row(item: "RawItem") -> dict[str, Any]:
    return {
        "published_at": item.published_at,
        "published_text": item.published_text,
        "day_only": item.day_only,
        "title": item.title,
        "url": item.url,
        "tickers": item.tickers,
        "outlet": item.outlet,
        "language": item.language,
    }
