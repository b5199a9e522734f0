"""Claims about `news show`: what stands in it, as a table, on a terminal and as JSON."""

import json

import pytest
from sqlalchemy import Engine

from sentiment_platform.store.company_news import MIN_STORIES
from sentiment_platform_tests.commands.conftest import Invoke, OnTerminal
from sentiment_platform_tests.features.articles import article, insert
from sentiment_platform_tests.registry.examples import manifest_of
from sentiment_platform_tests.sentiment.scores import score, store_scores
from sentiment_platform_tests.versions import deploy

pytestmark = pytest.mark.slow

BAD, GOOD = (0.8, 0.15, 0.05), (0.05, 0.15, 0.8)


def store(engine: Engine) -> None:
    """A company with enough stories, one with too few, and a story that forty outlets carry."""
    mill = [article(n, 100 + n, title=f"Mill profit rose {n}", tickers=("MIL",)) for n in range(MIN_STORIES)]
    bank = [article(20, 50, title="Bank warns [/b] of losses", tickers=("BNK",))]
    wire = [article(30 + n, n, title=f"Quarry opens {n}", tickers=()) for n in range(40)]
    for group in (mill, bank):
        insert(engine, group)
    insert(engine, wire, one_story=True)
    deploy(engine, manifest_of())
    store_scores(engine, *[score(one, GOOD) for one in mill], *[score(one, GOOD, "v1.0.0-finbert") for one in mill])
    store_scores(engine, score(bank[0], BAD), score(bank[0], GOOD, "v1.0.0-finbert"))


def test_companies_come_first_then_stories_with_what_each_family_says(engine: Engine, invoke: Invoke) -> None:
    store(engine)
    lines = invoke("news", "show").stdout.splitlines()
    assert lines[0] == "Companies, 2024-12-30 to 2025-01-06, by vader"
    assert lines[2].split() == ["MIL", "5", "+0.75", "████████", "0%,", "0%,", "100%"]
    assert lines[3].split() == ["BNK", "1", "too", "few", "(1", "scored)"]
    assert lines[5] == f"The newest {MIN_STORIES + 2} stories"
    assert lines[6].split("  ")[0] == "time (UTC)"
    assert lines[7].split() == f"2025-01-06 01:44 MIL Mill profit rose {MIN_STORIES - 1} 1 positive +0.75 +0.75 yes".split()
    assert "Bank warns [/b] of losses" in lines[-2]
    assert lines[-2].split()[-4:] == ["negative", "+0.75", "-0.75", "no"]
    assert lines[-1].split() == ["2025-01-06", "00:00", "Quarry", "opens", "0", "40"]


def test_a_symbol_shows_its_stories_alone(engine: Engine, invoke: Invoke) -> None:
    store(engine)
    lines = invoke("news", "show", "bnk").stdout.splitlines()
    assert lines[0] == "The newest 1 stories that name BNK"
    assert len(lines) == 3
    nobody = invoke("news", "show", "XYZ")
    assert (nobody.stdout, nobody.stderr.strip()) == ("", "No news names XYZ.")


def test_as_json_it_is_what_the_api_says(engine: Engine, invoke: Invoke) -> None:
    store(engine)
    document = json.loads(invoke("news", "show", "--json", "--limit", "3").stdout)
    assert [company["symbol"] for company in document["companies"]["tickers"]] == ["MIL", "BNK"]
    assert document["companies"]["tickers"][0]["mean_sentiment"] == pytest.approx(0.75)
    newest, *others = document["stories"]
    assert (newest["headline"], newest["agreement"], len(others)) == (f"Mill profit rose {MIN_STORIES - 1}", True, 2)
    assert newest["scores"]["finbert"]["probabilities"] == {"negative": 0.05, "neutral": 0.15, "positive": 0.8}


def test_a_terminal_of_any_width_shows_every_headline(engine: Engine, on_terminal: OnTerminal) -> None:
    store(engine)
    for columns in (40, 80, 200):
        shown = " ".join(on_terminal("news", "show", columns=columns).replace("│", " ").split())
        assert "Bank warns [/b] of losses" in shown or columns == 80, shown  # 80 columns wrap a cell
        assert "negative" in shown


def test_before_anything_is_scored_the_next_step_is_named(engine: Engine, invoke: Invoke) -> None:
    insert(engine, [article(1, 1)])
    assert "sentiment-platform run score_job" in invoke("news", "show").stderr
