import msgspec
import numpy as np
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.disagreement import Disagreement
from sentiment_platform.experiments.offline import standing, store_comparisons
from sentiment_platform.models.family import Integers
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform_tests.promotion.seeding import TRAINING_SET, answers, register, truth, write_holdout

V1, V2, F1 = "v1.0.0-vader", "v1.1.0-vader", "v1.0.0-finbert"
NO_REGISTRY = RegistryAccess(Settings.from_environment({}))
"""Stored answers need no release; whoever asks for one fails."""


@pytest.fixture
def labels(engine: Engine) -> Integers:
    labels = truth(200)
    write_holdout(engine, labels)
    return labels


def test_the_newest_version_of_each_family_stands_the_cheapest_first(engine: Engine, labels: Integers) -> None:
    for number, version in enumerate((F1, V1, V2)):
        register(engine, version, answers(labels, 0.5 + number / 10, number))
    found = standing(engine, NO_REGISTRY)
    assert (found.training_set, found.labels.tolist()) == (TRAINING_SET, labels.tolist())
    assert list(found.newest.items()) == [("vader", V2), ("finbert", F1)]
    assert list(found.probabilities) == [V2, F1]
    assert (found.probabilities[V2] == answers(labels, 0.7, 2)).all()
    assert (found.champions, found.default_family) == ({}, None)
    proposal = found.proposal()
    assert proposal is not None
    assert proposal.rule == "bootstrap"


def test_a_comparison_is_stored_once_with_its_words(engine: Engine, labels: Integers) -> None:
    for number, version in enumerate((V1, F1)):
        register(engine, version, answers(labels, 0.5 + number / 3, number))
    found = standing(engine, NO_REGISTRY)
    assert store_comparisons(engine, found, "run-1") == store_comparisons(engine, found, "run-2")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT champion, challenger, verdict, run_id, result FROM platform.experiments")).all()
    assert [tuple(row[:4]) for row in rows] == [(V1, F1, "better", "run-1")]
    assert rows[0].result["words"] == found.comparisons[0].words()
    assert rows[0].result["macro_f1"]["difference"]["value"] == found.comparisons[0].macro_f1.difference.value


def test_where_the_two_disagree_is_stored_with_who_is_right_there(engine: Engine, labels: Integers) -> None:
    for number, version in enumerate((V1, F1)):
        register(engine, version, answers(labels, 0.5 + number / 3, number))
    found = standing(engine, NO_REGISTRY)
    store_comparisons(engine, found, "run-1")
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT result -> 'disagreement' FROM platform.experiments")).scalar_one()
    assert msgspec.convert(stored, Disagreement) == found.disagreement(found.comparisons[0])
    said_a, said_b = (found.probabilities[version].argmax(axis=1) for version in (V1, F1))
    different = said_a != said_b
    assert (stored["a"], stored["b"], stored["n"]) == (V1, F1, len(labels))
    assert stored["n_different"] == len(stored["ids"]) == int(different.sum()) > 0
    assert stored["ids"] == [found.example_ids[row] for row in np.flatnonzero(different)]
    assert stored["only_b_right"] == int((different & (said_b == labels)).sum()) > stored["only_a_right"]
    assert sum(map(sum, stored["confusion"])) == len(labels)


@pytest.mark.parametrize(
    ("base", "label_set", "in_sample"),
    [("ProsusAI/finbert", "phrasebank-50", True), ("ProsusAI/finbert", "made", False), ("encoder", "phrasebank-50", False)],
)
def test_a_comparison_knows_whether_a_base_has_seen_the_holdout(
    engine: Engine, base: str, label_set: str, in_sample: bool
) -> None:
    labels = truth(200)
    write_holdout(engine, labels, label_set=label_set)
    register(engine, V1, answers(labels, 0.5, 1))
    register(engine, F1, answers(labels, 0.8, 3), base=base)
    found = standing(engine, NO_REGISTRY)
    assert [(c.a, c.b, c.seen_by) for c in found.comparisons] == [(V1, F1, (F1,) if in_sample else ())]
    store_comparisons(engine, found, "run")
    with engine.connect() as connection:
        (stored,) = connection.execute(text("SELECT result FROM platform.experiments")).scalars()
    assert stored["in_sample"] is in_sample
    assert ("In-sample, so no evidence" in stored["words"]) is in_sample
    proposal = found.proposal()
    assert proposal is not None
    assert proposal.default_family == ("vader" if in_sample else "finbert")


def test_a_version_whose_answers_are_incomplete_is_not_judged(engine: Engine, labels: Integers) -> None:
    register(engine, V1, answers(labels, 0.5, 1)[:-1])
    with pytest.raises(PermanentError, match="answered 199 of 200 holdout texts"):
        standing(engine, NO_REGISTRY)


def test_without_training_set_there_is_nothing_to_stand_on(engine: Engine) -> None:
    with pytest.raises(PermanentError, match="Materialize the asset training_set"):
        standing(engine, NO_REGISTRY)
