import msgspec
import numpy as np
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.disagreement import Disagreement
from sentiment_platform.experiments.holdout_comparison import HoldoutComparison, compare_on_holdout, store_comparison
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.models.family import Integers
from sentiment_platform.store.training_sets import StoredExample, write_training_set
from sentiment_platform_tests import versions
from sentiment_platform_tests.promotion.seeding import NOW, TRAINING_SET, answers, register, truth, write_holdout
from sentiment_platform_tests.registry.examples import manifest_of

V1, V2, F1 = "v1.0.0-vader", "v1.1.0-vader", "v1.0.0-finbert"


@pytest.fixture
def labels(engine: Engine) -> Integers:
    labels = truth(200)
    write_holdout(engine, labels)
    return labels


def store(engine: Engine, compared: HoldoutComparison, run: str = "run-1") -> str:
    return store_comparison(engine, compared, run_id=run, made_at=NOW)


def test_the_newest_version_of_each_family_stands_the_cheapest_first(engine: Engine, labels: Integers) -> None:
    for number, version in enumerate((F1, V1, V2)):
        register(engine, version, answers(labels, 0.5 + number / 10, number))
    compared = compare_on_holdout(engine, NOW)
    assert (compared.holdout.training_set, compared.holdout.labels.tolist()) == (TRAINING_SET, labels.tolist())
    assert compared.contenders.newest == {"vader": V2, "finbert": F1}
    assert list(compared.sides) == compared.contenders.versions() == [V2, F1]
    assert (compared.sides[V2].probabilities == answers(labels, 0.7, 2)).all()
    assert (compared.contenders.champions, compared.contenders.default_family, compared.contenders.revision) == ({}, None, 0)
    assert compared.evidence().proposal.rule == "bootstrap"


def test_a_comparison_is_stored_once_with_its_words(engine: Engine, labels: Integers) -> None:
    for number, version in enumerate((V1, F1)):
        register(engine, version, answers(labels, 0.55 + number / 3, number))
    compared = compare_on_holdout(engine, NOW)
    assert store(engine, compared, "run-1") == store(engine, compared, "run-2")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT champion, challenger, verdict, run_id, result FROM platform.experiments")).all()
    assert [tuple(row[:4]) for row in rows] == [(V1, F1, "better", "run-1")]
    assert rows[0].result["words"] == compared.comparisons[0].words()
    assert rows[0].result["macro_f1"]["difference"]["value"] == compared.comparisons[0].macro_f1.difference.value


def test_a_pair_that_is_compared_among_more_versions_has_the_figures_of_the_newest_evidence(
    engine: Engine, labels: Integers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Holm's adjustment depends on how many pairs there are."""
    monkeypatch.setitem(FAMILIES, "third", FAMILIES["finbert"])
    register(engine, V1, answers(labels, 0.5, 1))
    register(engine, F1, answers(labels, 0.6, 2))
    store(engine, compare_on_holdout(engine, NOW))
    with engine.connect() as connection:
        (alone,) = connection.execute(text("SELECT result FROM platform.experiments")).scalars()
    register(engine, "v1.0.0-third", answers(labels, 0.4, 3))
    compared = compare_on_holdout(engine, NOW)
    store(engine, compared, "run-2")
    with engine.connect() as connection:
        query = text("SELECT run_id, result FROM platform.experiments WHERE champion = :a AND challenger = :b")
        row = connection.execute(query, {"a": V1, "b": F1}).one()
    (pair,) = (pair for pair in compared.comparisons if (pair.a, pair.b) == (V1, F1))
    assert (row.run_id, row.result["adjusted_p"]) == ("run-2", pair.adjusted_p)
    assert pair.adjusted_p > alone["adjusted_p"]


def test_a_version_of_a_family_that_this_build_does_not_know_is_not_weighed_and_a_running_one_stops_the_comparison(
    engine: Engine, labels: Integers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as other_build:
        other_build.setitem(FAMILIES, "third", FAMILIES["finbert"])
        ours = register(engine, V1, answers(labels, 0.5, 1))
        theirs = register(engine, "v1.0.0-third", answers(labels, 0.9, 2))
        assert compare_on_holdout(engine, NOW).contenders.newest == {"vader": V1, "third": "v1.0.0-third"}
    compared = compare_on_holdout(engine, NOW)
    assert compared.contenders.newest == {"vader": V1}
    assert compared.evidence().proposal.default_family == "vader"
    versions.deploy(engine, ours, theirs)
    with pytest.raises(PermanentError, match=r"v1\.0\.0-third runs, of a family that this build does not know\. .*families"):
        compare_on_holdout(engine, NOW)


def test_where_the_two_disagree_is_stored_with_who_is_right_there(engine: Engine, labels: Integers) -> None:
    for number, version in enumerate((V1, F1)):
        register(engine, version, answers(labels, 0.5 + number / 3, number))
    compared = compare_on_holdout(engine, NOW)
    store(engine, compared)
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT result -> 'disagreement' FROM platform.experiments")).scalar_one()
    assert msgspec.convert(stored, Disagreement) == compared.disagreement(compared.comparisons[0])
    said_a, said_b = (compared.sides[version].probabilities.argmax(axis=1) for version in (V1, F1))
    different = said_a != said_b
    assert (stored["a"], stored["b"], stored["n"]) == (V1, F1, len(labels))
    assert stored["n_different"] == len(stored["ids"]) == int(different.sum()) > 0
    assert stored["ids"] == [compared.example_ids[row] for row in np.flatnonzero(different)]
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
    compared = compare_on_holdout(engine, NOW)
    assert [(c.a, c.b, c.seen_by) for c in compared.comparisons] == [(V1, F1, (F1,) if in_sample else ())]
    store(engine, compared)
    with engine.connect() as connection:
        (stored,) = connection.execute(text("SELECT result FROM platform.experiments")).scalars()
    assert stored["in_sample"] is in_sample
    assert ("In-sample, so no evidence" in stored["words"]) is in_sample
    assert compared.evidence().proposal.default_family == ("vader" if in_sample else "finbert")


def test_where_nobody_can_name_the_training_texts_of_a_version_the_verdict_says_so(engine: Engine, labels: Integers) -> None:
    for name, training_set in ((V1, TRAINING_SET), (F1, "f" * 64)):
        versions.register(engine, msgspec.structs.replace(manifest_of(name), base_model="made", training_set=training_set))
        versions.answer_holdout(
            engine, name, TRAINING_SET, {f"{n:04}": list(row) for n, row in enumerate(answers(labels, 0.6, len(name)))}
        )
    (pair,) = compare_on_holdout(engine, NOW).comparisons
    assert pair.origins_not_known == (F1,)
    assert f"Which texts {F1} learned from could not be determined" in pair.words()


@pytest.mark.parametrize("answered", [0, 199])
def test_a_version_whose_answers_are_missing_is_not_judged_and_the_asset_that_makes_them_is_named(
    engine: Engine, labels: Integers, answered: int
) -> None:
    register(engine, V1, answers(labels, 0.5, 1))
    register(engine, F1, answers(labels, 0.5, 1)[:answered])
    with pytest.raises(PermanentError, match=f"{F1} answered {answered} of 200 .* Materialize the asset finbert_evaluation"):
        compare_on_holdout(engine, NOW)


def test_without_training_set_or_version_there_is_nothing_to_compare(engine: Engine) -> None:
    with pytest.raises(PermanentError, match="Materialize the asset training_set"):
        compare_on_holdout(engine, NOW)
    write_holdout(engine, truth(200))
    with pytest.raises(PermanentError, match="no version to compare yet"):
        compare_on_holdout(engine, NOW)


def test_texts_that_a_version_or_the_one_that_it_went_on_from_was_trained_on_are_left_out_by_id(
    engine: Engine, labels: Integers
) -> None:
    """Labels that are imported behind newer ones move texts from the training part of a champion into the holdout of today."""
    older = [
        StoredExample(
            example_id=f"{n:04}",
            part="validation" if n < 10 else "train" if n < 30 else "test",
            text=f"Text {n}",
            label="neutral",
            label_set="made",
            story_id=f"s{n}",
            available_at=None,
            features=(None,) * 15,
        )
        for n in range(60)
    ]
    with engine.begin() as connection:
        write_training_set(connection, "ef" * 32, "v1", {}, older)
        connection.execute(
            text("UPDATE platform.training_sets SET created_at = '2020-01-01' WHERE digest = :old"), {"old": "ef" * 32}
        )
    register(engine, V1, answers(labels, 0.55, 1))
    went_on = {"lineage": {"start": "champion", "from_version": V1}}
    manifest = msgspec.structs.replace(manifest_of(V2), training_set="aa" * 32, figures=went_on)
    versions.register(engine, manifest)
    versions.answer_holdout(engine, V2, TRAINING_SET, {f"{n:04}": list(row) for n, row in enumerate(answers(labels, 0.6, 2))})
    fresh = msgspec.structs.replace(manifest_of(F1), training_set="aa" * 32)
    versions.register(engine, fresh)
    versions.answer_holdout(engine, F1, TRAINING_SET, {f"{n:04}": list(row) for n, row in enumerate(answers(labels, 0.8, 3))})
    compared = compare_on_holdout(engine, NOW)
    assert {name: int(side.learned.sum()) for name, side in compared.sides.items()} == {V2: 30, F1: 0}
    (pair,) = compared.comparisons
    assert (pair.n, pair.left_out) == (170, 30)
    assert "on 170 holdout texts (30 that one of the two has learned from are left out)" in pair.words()
    assert store(engine, compared)


def test_the_latency_that_was_measured_at_registration_holds_a_better_version_back_by_name(
    engine: Engine, labels: Integers
) -> None:
    for version, right, p95 in ((V1, 0.6, 10.0), (V2, 0.9, 20.0)):
        technical = {"processor": "one", "cores": 2, "n_texts": 9, "latency_p50_ms": 1.0, "latency_p95_ms": p95}
        figures = {"technical": technical | {"texts_per_s": 9.0, "loaded_mb": 9.0}}
        manifest = msgspec.structs.replace(manifest_of(version), figures=figures)
        versions.register(engine, manifest)
        said = answers(labels, right, int(p95))
        versions.answer_holdout(engine, version, TRAINING_SET, {f"{n:04}": list(row) for n, row in enumerate(said)})
        if version == V1:
            versions.deploy(engine, manifest)
    evidence = compare_on_holdout(engine, NOW).evidence()
    (pair,) = evidence.comparisons
    assert (pair.a, pair.b, pair.verdict) == (V1, V2, "blocked:latency")
    assert (evidence.proposal.changes, evidence.objection()) == (False, None)
    assert f"{V2} looks better than {V1} but is blocked:latency (a text takes 20.0 ms (p95)" in evidence.proposal.reason
