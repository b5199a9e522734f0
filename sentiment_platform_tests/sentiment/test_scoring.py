"""Claims about scoring: which version scores what, and that nothing is scored twice."""

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.registry.refusal import Refused
from sentiment_platform_tests.features.articles import NOW, article, insert
from sentiment_platform_tests.sentiment.rig import Scoring, headline, store_articles
from sentiment_platform_tests.serving.publishing import Publisher


def test_before_the_first_deployment_nothing_is_scored_and_the_run_says_so(engine: Engine, scoring: Scoring) -> None:
    store_articles(engine, range(3))
    done = scoring.run()
    assert (done.articles, done.scored, scoring.rows(), scoring.loaded) == (3, 0, [], [])
    assert done.words().startswith("Nothing is deployed yet, so nothing was scored.")


def test_a_row_names_the_version_the_text_and_what_was_read_of_it(engine: Engine, scoring: Scoring, publisher: Publisher) -> None:
    store_articles(engine, [0, 2])
    deployed = publisher.deploy(publisher.model())
    scoring.run()
    bad, good = scoring.rows()
    assert (bad.version, bad.family) == ("v1.0.0-vader", "vader")
    assert bad.manifest_digest == deployed.champions["vader"].manifest_digest
    assert (bad.label, good.label) == ("negative", "positive")
    for row, number in ((bad, 0), (good, 2)):
        assert row.negative + row.neutral + row.positive == pytest.approx(1.0, abs=1e-9)
        assert (row.characters, row.characters_read) == (len(headline(number)), len(headline(number)))
    assert bad.available_at < NOW < bad.scored_at == scoring.now


def test_a_headline_that_is_not_english_is_counted_and_never_scored(
    engine: Engine, scoring: Scoring, publisher: Publisher
) -> None:
    titles = ("Harbour Mills reports great profit", "Tallow Foods meldet hohen Verlust und streicht Stellen", "qwrt zxcv bnm")
    insert(engine, [article(number, number, title=title) for number, title in enumerate(titles)])
    publisher.deploy(publisher.model())
    done = scoring.run()
    assert (done.articles, done.unreadable, done.scored, len(scoring.rows())) == (3, 2, 1, 1)
    assert (scoring.run().scored, scoring.run().unreadable) == (0, 2)


def test_a_swap_in_the_middle_of_a_day_scores_what_comes_from_then_on(
    engine: Engine, scoring: Scoring, publisher: Publisher
) -> None:
    publisher.deploy(publisher.model())
    store_articles(engine, range(10))
    morning = scoring.run()
    first = scoring.rows()
    publisher.deploy(publisher.model("v1.1.0-vader", steepness=2.0))
    store_articles(engine, range(10, 15))
    noon = scoring.run()
    assert (morning.scored, noon.scored) == (10, 5)
    assert [row.version for row in scoring.rows()] == ["v1.0.0-vader"] * 10 + ["v1.1.0-vader"] * 5
    assert scoring.rows("v1.0.0-vader") == first

    history = scoring.run(only_new=False)
    assert history.scored == 10
    assert len(scoring.rows("v1.1.0-vader")) == 15
    assert scoring.rows("v1.0.0-vader") == first
    assert any(one.positive != other.positive for one, other in zip(first, scoring.rows("v1.1.0-vader"), strict=False))


def test_a_version_that_no_deployment_named_scores_on_request_and_stands_in_for_none(
    engine: Engine, scoring: Scoring, publisher: Publisher
) -> None:
    store_articles(engine, range(4))
    publisher.model("v0.9.0-vader", steepness=1.0)
    assert scoring.run(version="v0.9.0-vader").scored == 4
    publisher.deploy(publisher.model())
    assert scoring.run().scored == 4
    assert [row.version for row in scoring.rows()] == ["v0.9.0-vader", "v1.0.0-vader"] * 4
    with pytest.raises(PermanentError, match=r"v7\.0\.0-vader is not registered here"):
        scoring.run(version="v7.0.0-vader")


def test_a_version_whose_manifest_was_changed_scores_nothing(engine: Engine, scoring: Scoring, publisher: Publisher) -> None:
    store_articles(engine, range(4))
    publisher.model()
    with engine.begin() as connection:
        connection.execute(text("UPDATE platform.model_versions SET manifest_digest = :other"), {"other": "0" * 64})
    with pytest.raises(Refused):
        scoring.run(version="v1.0.0-vader")
    assert scoring.rows() == []


def test_what_is_scored_is_not_scored_again_and_no_model_is_loaded_for_it(
    engine: Engine, scoring: Scoring, publisher: Publisher
) -> None:
    publisher.deploy(publisher.model())
    store_articles(engine, range(10))
    first, before = scoring.run(), scoring.rows()
    again = scoring.run()
    assert (again.scored, again.tallies[0].kept, again.digest) == (0, 10, first.digest)
    assert again.words() == "Nothing is new: every article has its scores."
    assert scoring.run(only_new=False).scored == 0
    assert scoring.rows() == before
    assert scoring.loaded == ["v1.0.0-vader"]


def test_a_corrected_headline_is_scored_anew_by_the_version_that_is_deployed_now(
    engine: Engine, scoring: Scoring, publisher: Publisher
) -> None:
    publisher.deploy(publisher.model())
    store_articles(engine, range(3))
    scoring.run()
    before = scoring.rows()
    with engine.begin() as connection:
        changed = {"title": headline(2), "id": before[0].article_id}
        connection.execute(text("UPDATE platform.raw_data SET title = :title WHERE id = :id"), changed)
    assert scoring.run().scored == 1
    corrected, *others = scoring.rows()
    assert others == before[1:]
    assert (before[0].label, corrected.label) == ("negative", "positive")
    assert corrected.scored_at > before[0].scored_at


def test_small_chunks_give_the_rows_of_large_ones(engine: Engine, scoring: Scoring, publisher: Publisher) -> None:
    publisher.deploy(publisher.model())
    store_articles(engine, range(40))
    scoring.run(chunk=7)
    small = [tuple(row)[:-1] for row in scoring.rows()]
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE platform.article_sentiment"))
    scoring.run()
    large = [tuple(row)[:-1] for row in scoring.rows()]
    assert len(large) == 40
    assert [row[:4] for row in small] == [row[:4] for row in large]
    for one, other in zip(small, large, strict=True):
        assert one[4:7] == pytest.approx(other[4:7], abs=1e-9)


def test_an_article_that_waits_in_quarantine_is_not_scored(engine: Engine, scoring: Scoring, publisher: Publisher) -> None:
    publisher.deploy(publisher.model())
    store_articles(engine, range(3))
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO platform.quarantine (id, boundary, source, rule, detail, payload, fetched_at, run_id) "
                "VALUES (:id, 'articles', 'wire', 'rule', '', '{}', now(), 'run')"
            ),
            {"id": f"article:{1:032}"},
        )
    assert scoring.run().articles == 2
    assert [row.article_id for row in scoring.rows()] == [f"{0:032}", f"{2:032}"]
