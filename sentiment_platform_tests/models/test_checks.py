"""What stops training between a model and its comparison: a release that does not verify, a holdout with holes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import TransientError
from sentiment_platform.models.checks import answers_check, answers_result
from sentiment_platform.models.evaluation.holdout import compare_answers, evaluate_answers
from sentiment_platform.models.versions.checks import release_result
from sentiment_platform.models.versions.released import verify_newest_release
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store.figures import write_holdout_predictions
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.training_sets import write_training_set
from sentiment_platform_tests.github_server.faults import Fault
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.models.tiny_transformer import stored, tiny_data
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import environment_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)
VERSION, SET = "v1.0.0-vader", "af" * 32


@pytest.fixture
def publisher(settings: Settings, engine: Engine) -> Iterator[Publisher]:
    publisher = Publisher(settings, engine)
    yield publisher
    publisher.close()


def holdout_of(engine: Engine) -> list[str]:
    """Ids of the test part of a stored training set."""
    examples = stored(tiny_data(60, 20))
    with engine.begin() as connection:
        write_training_set(connection, SET, "v1", {}, examples)
    return [example.example_id for example in examples if example.part == "test"]


def answer(engine: Engine, ids: list[str], row: tuple[float, ...] = (0.1, 0.2, 0.7), version: str = VERSION) -> None:
    with engine.begin() as connection:
        write_holdout_predictions(connection, version, SET, [(key, row) for key in ids])


@pytest.mark.parametrize(
    ("row", "good"),
    [
        ((0.1, 0.2, 0.7), True),
        ((0.0, 0.0, 1.0), True),
        ((0.1, 0.2), False),
        ((0.1, 0.2, 0.6), False),
        ((-0.1, 0.2, 0.9), False),
        ((float("nan"), 0.5, 0.5), False),
        ((float("inf"), 0.0, 0.0), False),
    ],
)
def test_an_answer_is_three_probabilities(row: tuple[float, ...], good: bool) -> None:
    found = compare_answers(VERSION, ["a", "b"], {"a": (0.2, 0.3, 0.5), "b": row, "another": (1.0, 1.0, 1.0)})
    assert (found.malformed, found.complete) == (() if good else ("b",), good)


def test_an_evaluation_passes_once_its_newest_version_has_answered_the_whole_newest_holdout(
    engine: Engine, publisher: Publisher
) -> None:
    assert answers_result(evaluate_answers(engine, "vader")).passed, "there is nobody to answer"
    publisher.model(VERSION)
    assert not answers_result(evaluate_answers(engine, "vader")).passed, "nothing was asked"
    ids = holdout_of(engine)
    assert evaluate_answers(engine, "vader").missing == tuple(sorted(ids))
    answer(engine, ids[1:])
    found = evaluate_answers(engine, "vader")
    assert (found.version, found.asked, found.missing) == (VERSION, len(ids), (ids[0],))
    failed = answers_result(found)
    assert not failed.passed
    assert failed.metadata["examples"].value == ids[0]
    answer(engine, ids)
    assert answers_result(evaluate_answers(engine, "vader")).passed
    publisher.model("v1.0.1-vader", steepness=2.0)
    assert not evaluate_answers(engine, "vader").complete, "the answers of an older version are not those of the newest"


def test_the_check_reads_the_platform_and_judges_its_own_family(settings: Settings, engine: Engine, publisher: Publisher) -> None:
    publisher.model(VERSION)
    answer(engine, holdout_of(engine))
    platform = PlatformResource(overrides=environment_of(settings), fixed_now=NOW.isoformat())
    judged: dict[str, object] = {}
    for check in (answers_check("vader"), answers_check("finbert")):
        result = check(platform=platform)
        assert isinstance(result, dg.AssetCheckResult)
        (key,) = check.check_keys
        judged[key.asset_key.to_user_string()] = result.metadata["version"].value
    assert judged == {"vader_evaluation": VERSION, "finbert_evaluation": "none yet"}


def test_a_release_that_was_changed_after_it_was_registered_does_not_verify_and_says_why(
    settings: Settings, engine: Engine, publisher: Publisher, github_server: ScriptedServer
) -> None:
    access = RegistryAccess(settings)

    def look() -> tuple[bool, str | None]:
        found = verify_newest_release(engine, access, "vader")
        assert release_result(found).passed is found.verifies
        return found.verifies, found.reason

    assert look() == (False, None), "there is none"
    publisher.model(VERSION)
    github_server.faults.add(Fault(kind="flip_bit", path=r"_storage/.*/vader\.json", bit=1003, count=0))
    assert look() == (False, "digest")
    github_server.faults.clear()
    assert look() == (True, None)
    # The files lie verified on this machine now; the release itself is asked all the same.
    github_server.faults.add(Fault(kind="replace_body", path=r"_storage/.*/manifest\.json\.sig", body=b"<html>", count=0))
    assert look() == (False, "signature")
    github_server.faults.clear()
    with engine.begin() as connection:
        connection.execute(text("UPDATE platform.model_versions SET manifest_digest = repeat('0', 64)"))
    assert look()[0] is False
    github_server.stop()
    with pytest.raises(TransientError):
        look()
