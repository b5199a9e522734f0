"""`news show`: the news with what the versions say of it, and companies on top; read from the database by what serving reads it by."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import Cell, note, print_json, say, show_table, styled
from sentiment_platform.commands.parameters import COUNT, SYMBOL, json_option
from sentiment_platform.text.normalise import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_platform.store.company_news import CompanyNews, CompanyWindow
    from sentiment_platform.store.scored_news import ScoredStory, StoryScore

WINDOW = timedelta(days=7)
COMPANIES_SHOWN = 10
BAR = 10
"""Characters of a bar that stands for the whole of the stories."""
COLOURS = {"negative": "red", "neutral": "", "positive": "green"}


@click.command()
@click.argument("symbol", type=SYMBOL, required=False)
@click.option("--limit", type=COUNT, default=20, help="Stories to show.")
@json_option
def show(symbol: str | None, limit: int, as_json: bool) -> None:
    """Show the newest stories with what each deployed family says of them; of SYMBOL alone, or of all, companies first.

    A story stands for all the articles that tell it. The summary of companies is of seven days, by the default family.

    As JSON: {"companies": {...}, "stories": [...]}.

    \b
    Examples:
      sentiment-platform news show
      sentiment-platform news show AAPL --limit 5
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.company_news import companies, newest_news
    from sentiment_platform.store.scored_news import news_page

    with connected_session() as (_, engine), engine.connect() as connection:
        stories = news_page(connection, symbol=symbol, since=None, after=None, limit=limit)
        newest = newest_news(connection)
        # Archives and samples end in the past: their last week says more than an empty one.
        until = utc_now() if newest is None or newest > utc_now() - WINDOW else newest
        window = companies(connection, until, WINDOW, limit=COMPANIES_SHOWN)
    if as_json:
        print_json(
            {
                "companies": _window_json(window) if window.companies and not symbol else None,
                "stories": [_story_json(story) for story in stories],
            }
        )
        return
    if not symbol and window.companies:
        show_companies(window)
        say("")
    nothing = (
        f"No news names {symbol}." if newest and symbol else "There is no news yet. Next: sentiment-platform run collect_job"
    )
    title = f"The newest {len(stories)} stories" + (f" that name {symbol}" if symbol else "")
    show_stories(stories, window.family, title=title, empty=nothing)
    if stories and not any(story.scores for story in stories):
        days = sorted(f"{story.published_at:%Y-%m-%d}" for story in stories)
        first = "" if window.family else "sentiment-platform run bootstrap_job, since nothing is deployed; then: "
        note(f"No story is scored yet. Next: {first}sentiment-platform run score_job --from {days[0]} --to {days[-1]}")


def show_companies(window: "CompanyWindow") -> None:
    """A line a company: its stories, their mean sentiment, the share of each label."""
    show_table(
        ["symbol", "stories", "mean", "negative, neutral, positive", "change"],
        [_company(company) for company in window.companies],
        title=f"Companies, {window.since:%Y-%m-%d} to {window.until:%Y-%m-%d}, by {window.family or 'no family: nothing is deployed'}",
    )


def show_stories(
    stories: "Sequence[ScoredStory]", default: str | None, *, title: str, empty: str = "", brief: bool = False
) -> None:
    """A line a story: its label by the family `default`, and what each family says; `brief` fits a terminal of 80 columns."""
    families = sorted({score.family for story in stories for score in story.scores})
    first = default if default in families else next(iter(families), None)
    if brief:
        show_table(
            ["symbols", "headline", "label", *families], [_brief_line(story, first, families) for story in stories], title=title
        )
        return
    show_table(
        ["time (UTC)", "symbols", "headline", "articles", "label", *families, *(["agree"] if len(families) > 1 else [])],
        [_line(story, first, families) for story in stories],
        title=title,
        empty=empty,
    )
    for story in stories:
        if story.corrected_at is not None:
            say(_correction(story, first))


def _correction(story: "ScoredStory", first: str | None) -> str:
    """What a corrected headline said before, and what the default family made of that."""
    before = story.earlier[-1]
    said = next((f" ({score.label} {score.sentiment:+.2f})" for score in before.scores if score.family == first), "")
    return f"Corrected at {story.corrected_at:%Y-%m-%d %H:%M} UTC: {normalise(story.title)}. Before: {normalise(before.title)}{said}."


def _company(company: "CompanyNews") -> list[Cell]:
    if company.mean is None:
        return [company.symbol, company.stories, f"too few ({company.scored} scored)", "", ""]
    labels, change = company.labels, company.change
    shares = [count / company.scored for count in (labels.negative, labels.neutral, labels.positive)]
    colour = "green" if company.mean > 0 else "red"
    return [
        company.symbol,
        company.stories,
        styled(f"{company.mean:+.2f} {_bar(abs(company.mean))}", colour),
        ", ".join(f"{share:.0%}" for share in shares),
        f"{change:+.2f}" if change is not None else "",
    ]


def _bar(share: float) -> str:
    return "█" * round(share * BAR)


def _line(story: "ScoredStory", first: str | None, families: list[str]) -> list[Cell]:
    scores = {score.family: score for score in story.scores}
    agree = {True: "yes", False: styled("no", "yellow"), None: ""}[story.agreement]
    return [
        story.published_at,
        " ".join(story.symbols),
        normalise(story.title),
        story.articles,
        _label(scores[first]) if first in scores else "",
        *(f"{scores[family].sentiment:+.2f}" if family in scores else "" for family in families),
        *([agree] if len(families) > 1 else []),
    ]


def _brief_line(story: "ScoredStory", first: str | None, families: list[str]) -> list[Cell]:
    _, symbols, headline, _, label, *sentiments = _line(story, first, families)
    return [symbols, headline, label, *sentiments[: len(families)]]


def _label(score: "StoryScore") -> Cell:
    return styled(score.label, COLOURS[score.label])


def _story_json(story: "ScoredStory") -> dict[str, Any]:
    return {
        "story_id": story.story_id,
        "headline": normalise(story.title),
        "outlet": normalise(story.outlet),
        "url": story.url,
        "symbols": story.symbols,
        "published_at": story.published_at,
        "available_at": story.available_at,
        "articles": story.articles,
        "agreement": story.agreement,
        "scores": _scores_json(story.scores),
        "corrected_at": story.corrected_at,
        "earlier": [
            {"headline": normalise(told.title), "available_at": told.available_at, "scores": _scores_json(told.scores)}
            for told in story.earlier
        ],
    }


def _scores_json(scores: "Sequence[StoryScore]") -> dict[str, Any]:
    return {
        score.family: {
            "version": score.version,
            "label": score.label,
            "sentiment": score.sentiment,
            "probabilities": {"negative": score.negative, "neutral": score.neutral, "positive": score.positive},
        }
        for score in scores
    }


def _window_json(window: "CompanyWindow") -> dict[str, Any]:
    moments: dict[str, datetime] = {"since": window.since, "until": window.until}
    return {
        **moments,
        "family": window.family,
        "tickers": [
            {
                "symbol": company.symbol,
                "stories": company.stories,
                "scored_stories": company.scored,
                "too_few": company.too_few,
                "mean_sentiment": company.mean,
                "labels": company.labels,
                "change": company.change,
            }
            for company in window.companies
        ],
    }
