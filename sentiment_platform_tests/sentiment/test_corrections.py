"""A corrected headline, end to end: two collections, scored after each, and what readers are told before and after."""

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from sentiment_platform.news.admission import store_items
from sentiment_platform.news.items import RawItem
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.sentiment.agreement import compare_with_model
from sentiment_platform.sentiment.scorers import deployed_scorers, load_scorer
from sentiment_platform.settings import Settings
from sentiment_platform.store.article_sentiment import newest_scores
from sentiment_platform.store.articles import articles_between
from sentiment_platform.store.company_news import MIN_STORIES, companies
from sentiment_platform_tests.commands.conftest import Invoke
from sentiment_platform_tests.commands.conftest import environment as environment
from sentiment_platform_tests.commands.conftest import invoke as invoke
from sentiment_platform_tests.features.articles import DAY, NEXT, article, insert
from sentiment_platform_tests.sentiment.rig import Scoring
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

TOLD, CORRECTED = DAY + timedelta(hours=10), DAY + timedelta(hours=13)


def collect(engine: Engine, verb: str, now: datetime, published: datetime = DAY + timedelta(hours=9)) -> None:
    items = [
        RawItem(
            source="wire",
            origin="https://wire.example/rss",
            position=number,
            guid=f"contract-{number}",
            url=f"https://wire.example/{number}",
            title=f"Harbour Mills {verb} contract number {number} for roof tiles",
            tickers=("MIL",),
            published_at=published,
            published_text="x",
        )
        for number in range(MIN_STORIES)
    ]
    with engine.begin() as connection:
        store_items(connection, items, run_id=verb, now=now)


def mood(engine: Engine, at: datetime) -> float:
    with engine.connect() as connection:
        (company,) = companies(connection, at, timedelta(days=1), family="vader").companies
    assert company.mean is not None
    return company.mean


def test_the_mood_of_a_company_follows_a_correction_from_its_time_on_and_not_before(
    engine: Engine, scoring: Scoring, publisher: Publisher
) -> None:
    publisher.deploy(publisher.model())
    collect(engine, "wins", TOLD)
    assert scoring.run().scored == MIN_STORIES
    first = scoring.rows()
    happy = mood(engine, CORRECTED)

    collect(engine, "loses", CORRECTED)
    assert happy == mood(engine, CORRECTED - timedelta(seconds=1)) > 0.0
    corrected = scoring.run()
    assert (corrected.articles, corrected.scored) == (MIN_STORIES, MIN_STORIES)
    assert mood(engine, CORRECTED) < 0.0
    assert mood(engine, CORRECTED - timedelta(seconds=1)) == happy
    assert [row for row in scoring.rows() if not row.wording] == first
    assert {row.available_at for row in scoring.rows() if row.wording} == {CORRECTED}
    with engine.connect() as connection:
        # Vectors go on from the words that were known when the article came.
        assert {article.title.split()[2] for article in articles_between(connection, DAY, NEXT)} == {"wins"}

    again = scoring.run()
    collect(engine, "loses", CORRECTED + timedelta(minutes=15))
    assert (again.scored, scoring.run().scored, len(scoring.rows())) == (0, 0, 2 * MIN_STORIES)


def test_the_window_before_says_what_was_known_at_its_end(engine: Engine, scoring: Scoring, publisher: Publisher) -> None:
    publisher.deploy(publisher.model())
    collect(engine, "wins", TOLD)
    collect(engine, "loses", CORRECTED)
    insert(engine, [article(1, 14 * 60, tickers=("MIL",))])
    scoring.run()
    happy, sad = mood(engine, TOLD), mood(engine, CORRECTED)

    def before(window: timedelta) -> float | None:
        with engine.connect() as connection:
            (company,) = companies(connection, DAY + timedelta(hours=15), window, family="vader").companies
        return company.mean_before

    assert (before(timedelta(hours=3)), before(timedelta(hours=1.5))) == (happy, None)
    assert sad < 0.0 < happy


def test_a_correction_of_the_day_before_is_scored_by_the_collection_that_brings_it(
    engine: Engine, scoring: Scoring, publisher: Publisher
) -> None:
    publisher.deploy(publisher.model())
    evening = DAY - timedelta(hours=2)
    collect(engine, "wins", evening, evening)
    collect(engine, "loses", TOLD, evening)
    assert (scoring.run(chunk=2).articles, {row.wording == "" for row in scoring.rows()}) == (0, {False})
    assert len(scoring.rows()) == MIN_STORIES


def test_readers_are_told_what_stood_before(
    settings: Settings, engine: Engine, scoring: Scoring, publisher: Publisher, invoke: Invoke
) -> None:
    publisher.deploy(publisher.model())
    for verb, at in (("wins", TOLD), ("loses", CORRECTED)):
        collect(engine, verb, at)
        scoring.run()
    serving = ServingProcess(settings)
    serving.start()
    try:
        items = serving.client.get("/news").json()["items"]
    finally:
        serving.stop()
    assert len(items) == MIN_STORIES
    newest = items[0]
    (before,) = newest["earlier"]
    assert (newest["headline"].split()[2], before["headline"].split()[2]) == ("loses", "wins")
    assert (newest["corrected_at"], before["available_at"]) == ("2025-01-06T13:00:00Z", "2025-01-06T10:00:00Z")
    assert newest["scores"]["vader"]["sentiment"] < 0.0 < before["scores"]["vader"]["sentiment"]

    document = json.loads(invoke("news", "show", "MIL", "--json").stdout)["stories"][0]
    assert (document["headline"], document["earlier"][0]["headline"]) == (newest["headline"], before["headline"])
    shown = invoke("news", "show", "MIL").stdout
    number = newest["headline"].split()[5]
    said = before["scores"]["vader"]["sentiment"]
    assert (
        f"Corrected at 2025-01-06 13:00 UTC: Harbour Mills loses contract number {number} for roof tiles. "
        f"Before: Harbour Mills wins contract number {number} for roof tiles (positive {said:+.2f})." in shown
    )

    with engine.connect() as connection:
        scorer = load_scorer(RegistryAccess(settings), deployed_scorers(connection, only_new=False)[0])
        compared = compare_with_model(scorer, newest_scores(connection, "v1.0.0-vader", 20))
    assert (compared.rows, compared.agrees) == (2 * MIN_STORIES, True)
    assert compared.largest == pytest.approx(0.0, abs=1e-6)
