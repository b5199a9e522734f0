"""Claims about GET /news and GET /tickers: the story is the unit, pages follow each other, too few is said."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.store.company_news import MIN_STORIES
from sentiment_platform_tests.features.articles import DAY, article, insert
from sentiment_platform_tests.registry.examples import manifest_of
from sentiment_platform_tests.sentiment.scores import score, store_scores
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.running import ServingProcess
from sentiment_platform_tests.versions import deploy

BAD, FLAT, GOOD = (0.8, 0.15, 0.05), (0.1, 0.8, 0.1), (0.05, 0.15, 0.8)


@pytest.fixture
def serving(start_serving: StartServing) -> ServingProcess:
    process = start_serving(ready=False)
    process.wait_until(lambda: process.answers("/news"))
    return process


def get(serving: ServingProcess, path: str, **asked: Any) -> dict[str, Any]:
    reply = serving.client.get(path, params=asked)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_a_story_is_listed_once_at_its_first_article_with_the_newest_score_of_each_family(
    engine: Engine, serving: ServingProcess
) -> None:
    assert get(serving, "/news")["items"] == []
    wire = [article(n, n, title=f"Mill <b>burns</b> {n}", tickers=("MIL",), url=f"https://a.example/{n}") for n in range(40)]
    insert(engine, wire, one_story=True)
    alone = article(90, 100, tickers=("BNK",))
    insert(engine, [alone])
    store_scores(
        engine,
        score(wire[0], GOOD),
        score(wire[0], BAD, "v1.1.0-vader", at=DAY + timedelta(days=1)),
        score(wire[0], BAD, "v1.0.0-finbert"),
        score(wire[1], GOOD),
        score(alone, GOOD),
        score(alone, FLAT, "v1.0.0-finbert"),
    )
    newest, burning = get(serving, "/news")["items"]
    assert (newest["symbols"], newest["articles"], newest["agreement"]) == (["BNK"], 1, False)
    assert (burning["headline"], burning["articles"], burning["agreement"]) == ("Mill <b>burns</b> 0", 40, True)
    assert (burning["story_id"], burning["article_id"], burning["url"]) == (wire[0].id, wire[0].id, "https://a.example/0")
    said = burning["scores"]["vader"]
    assert (said["version"], said["label"], said["sentiment"]) == ("v1.1.0-vader", "negative", pytest.approx(-0.75))
    assert said["probabilities"] == {"negative": 0.8, "neutral": 0.15, "positive": 0.05}
    assert [item["symbols"] for item in get(serving, "/news", symbol="mil")["items"]] == [["MIL"]]
    assert get(serving, "/news", symbol="XYZ")["items"] == []
    since = (DAY + timedelta(minutes=30)).isoformat()
    assert [item["symbols"] for item in get(serving, "/news", since=since)["items"]] == [["BNK"]]  # copies are no news


def test_what_readers_see_is_of_the_version_that_was_deployed_last_whatever_scored_history_since(
    engine: Engine, serving: ServingProcess
) -> None:
    now = (utc_now() - DAY) / timedelta(minutes=1)
    stories = [article(n, now - 60 * (n + 1), tickers=("MIL",)) for n in range(MIN_STORIES)]
    insert(engine, stories)
    deploy(engine, manifest_of("v1.0.0-vader"))
    later = DAY + timedelta(days=1)
    store_scores(engine, *(score(one, GOOD) for one in stories), *(score(one, BAD, "v1.9.0-vader", at=later) for one in stories))

    def seen() -> tuple[set[str], float]:
        (company,) = get(serving, "/tickers")["tickers"]
        return {item["scores"]["vader"]["version"] for item in get(serving, "/news")["items"]}, company["mean_sentiment"]

    assert seen() == ({"v1.0.0-vader"}, pytest.approx(0.75))
    deploy(engine, manifest_of("v1.9.0-vader"))
    assert seen() == ({"v1.9.0-vader"}, pytest.approx(-0.75))


def test_pages_follow_each_other_without_a_gap_while_news_comes_in(engine: Engine, serving: ServingProcess) -> None:
    # Five of one minute, so that time alone does not order them.
    insert(engine, [article(n, n // 5) for n in range(23)])
    whole = [item["article_id"] for item in get(serving, "/news", limit=200)["items"]]
    paged: list[str] = []
    cursor: str | None = None
    for turn in range(10):
        page = get(serving, "/news", limit=4, **({"cursor": cursor} if cursor else {}))
        paged += [item["article_id"] for item in page["items"]]
        insert(engine, [article(100 + turn, 60 + turn)])
        if (cursor := page["next_cursor"]) is None:
            break
    assert paged == whole
    assert len(paged) == 23


FORGED = base64.urlsafe_b64encode(b'["2025-01-06T09:30:00Z","00000000000000000000000000000001"]').decode()
"""Of the right form, but no page ever ended there."""


@pytest.mark.parametrize("cursor", ["nonsense", "", "e30", base64.urlsafe_b64encode(b'["2025-01-06","x"]').decode(), "ä", FORGED])
def test_a_cursor_of_somebody_else_is_a_problem_with_its_remedy(serving: ServingProcess, cursor: str) -> None:
    reply = serving.client.get("/news", params={"cursor": cursor})
    assert (reply.status_code, reply.json()["code"]) == (400, "bad_cursor")
    assert "Leave it out" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("since=2025-01-06T00:00:00", "since"),
        ("since=2025-01-06", "since"),
        ("since=1736121600", "since"),
        ("symbol=A%20B", "symbol"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=5&limit=5", "limit"),
        (f"cursor={FORGED}", "cursor"),
    ],
)
def test_a_question_of_another_form_is_refused_by_the_name_of_its_field(serving: ServingProcess, asked: str, field: str) -> None:
    reply = serving.client.get(f"/news?{asked}")
    assert reply.status_code == 400
    assert [error["field"] for error in reply.json()["errors"]] == [field]


def test_a_company_has_its_stories_mean_shares_and_change_and_below_a_minimum_counts_alone(
    engine: Engine, serving: ServingProcess
) -> None:
    assert get(serving, "/tickers")["family"] is None
    ago = -(utc_now() - DAY) / timedelta(minutes=1)  # minutes from the day of the articles to now, turned round
    stories = [article(n, -ago - 60 * (n + 1), tickers=("MIL",)) for n in range(MIN_STORIES)]
    earlier = [article(20 + n, -ago - 60 * 24 * 8 - n, tickers=("MIL",)) for n in range(MIN_STORIES)]
    few = [article(40 + n, -ago - 60 * (n + 1), tickers=("BNK", "MIL")) for n in range(MIN_STORIES - 1)]
    copies = [article(60 + n, -ago - n, tickers=("MIL",)) for n in range(30)]
    for group in (stories, earlier, few):
        insert(engine, group)
    insert(engine, [article(50, -ago - 60 * 24 * 9, tickers=("MIL",)), *copies], one_story=True)
    deploy(engine, manifest_of())
    store_scores(
        engine,
        *[score(one, GOOD) for one in stories],
        *[score(one, BAD) for one in (*earlier, *copies)],
        *[score(one, BAD) for one in few],
    )
    answer = get(serving, "/tickers")
    assert (answer["family"], answer["min_stories"]) == ("vader", MIN_STORIES)
    mill, bank = answer["tickers"]
    scored = 2 * MIN_STORIES - 1
    # The story that was first told nine days ago is none of these seven days, however many copies come now.
    assert (mill["symbol"], mill["stories"], mill["scored_stories"], mill["too_few"]) == ("MIL", scored, scored, False)
    mean = 0.75 * (MIN_STORIES - (MIN_STORIES - 1)) / scored
    assert mill["mean_sentiment"] == pytest.approx(mean)
    assert mill["change"] == pytest.approx(mean + 0.75)
    assert mill["label_shares"] == {
        "negative": pytest.approx((MIN_STORIES - 1) / scored),
        "neutral": 0.0,
        "positive": pytest.approx(MIN_STORIES / scored),
    }
    assert bank == {
        "symbol": "BNK",
        "stories": MIN_STORIES - 1,
        "scored_stories": MIN_STORIES - 1,
        "too_few": True,
        "mean_sentiment": None,
        "label_shares": None,
        "change": None,
    }
    assert get(serving, "/tickers", family="finbert")["tickers"][0]["scored_stories"] == 0
    assert serving.client.get("/tickers", params={"family": "nobody"}).status_code == 400
