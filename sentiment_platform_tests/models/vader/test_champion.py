"""VADER beside its deployed version: what moved against it, and what of it stands in where something cannot be learned."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from sqlalchemy import Engine

from sentiment_platform.models.family import ExportReport, Progress, TrainingData, TrainingOptions
from sentiment_platform.models.head.head import CalibrationHead
from sentiment_platform.models.head.label_rule import fit_labelling_head
from sentiment_platform.models.model_card import model_card
from sentiment_platform.models.pages.reporting import TERMS_SHOWN, terms_table
from sentiment_platform.models.transformer.training.stages import taken
from sentiment_platform.models.vader.diff import moved_summary, moved_terms
from sentiment_platform.models.vader.family import (
    HEAD_FILE,
    SCORER_FILE,
    STOCK_SCORER,
    LearnedTerm,
    VaderModel,
    VaderScorer,
    load_vader,
    scorer_logits,
)
from sentiment_platform.models.vader.training import TrainedVader, VaderFamily, readable
from sentiment_platform.models.versions.checks import learning_result
from sentiment_platform.models.versions.learning_outcome import LearningOutcome, evaluate_learning
from sentiment_platform.models.versions.publishing import train_and_publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.statistics.softmax_regression import softmax
from sentiment_platform.store.training_sets import write_training_set
from sentiment_platform_tests.models.tiny_transformer import stored, tiny_data
from sentiment_platform_tests.models.vader.small_vader import small_data

pytestmark = pytest.mark.slow

CHAMPION = VaderScorer(
    negative_below=-0.5, positive_above=0.5, steepness=0.5, terms={"poison pill": LearnedTerm(-2.0, evidence=4)}
)
NO_ROWS = np.zeros(0, dtype=np.int64)


def head_for(scorer: VaderScorer) -> CalibrationHead:
    data = small_data()
    logits = scorer_logits(scorer.engine(), scorer, data.validation.texts)
    return fit_labelling_head(logits, data.validation, data.feature_names, data.feature_schema, seed=1)[0]


def deployed(directory: Path, scorer: VaderScorer = CHAMPION, **head: object) -> Path:
    """A deployed version; `head` replaces fields of its head."""
    (directory / SCORER_FILE).write_text(readable(scorer))
    (directory / HEAD_FILE).write_text(json.dumps(head_for(CHAMPION).to_json() | head))
    return directory


Unusable = Callable[[TrainingData], TrainingData]


def of_one_label(data: TrainingData) -> TrainingData:
    return replace(data, validation=taken(data.validation, np.flatnonzero(data.validation.labels == 1)))


def without_validation(data: TrainingData) -> TrainingData:
    return replace(data, validation=taken(data.validation, NO_ROWS))


def without_training_texts(data: TrainingData) -> TrainingData:
    """Nothing to learn from: the fit refuses."""
    return replace(data, train=taken(data.train, NO_ROWS))


@dataclass(frozen=True)
class Made:
    trained: TrainedVader
    report: ExportReport
    told: list[Progress]
    served: VaderModel

    @property
    def warned(self) -> list[str]:
        return [progress.note for progress in self.told if "WARNING" in progress.stage]


def make(data: TrainingData, out: Path, champion: Path | None = None) -> Made:
    family, told = VaderFamily(), list[Progress]()
    trained = family.train(data, TrainingOptions(parameters={"trials": 0}, champion=champion), told.append)
    out.mkdir()
    report = family.export(trained, data, out, told.append)
    return Made(trained, report, told, load_vader(out))


@pytest.mark.parametrize("champion", [None, CHAMPION])
def test_where_learning_fails_the_previous_lexicon_stands_and_the_report_warns(
    tmp_path: Path, champion: VaderScorer | None
) -> None:
    data = without_training_texts(small_data())
    made = make(data, tmp_path / "out", deployed(tmp_path, champion) if champion else None)
    assert made.trained.scorer == (champion or STOCK_SCORER)
    assert "previous lexicon stands" in made.report.figures["warning"]
    assert made.warned == [made.report.figures["warning"]]
    assert made.report.figures["terms_moved"]["count"] == 0
    assert made.served.predict(data.test.texts, data.test.features).shape == (len(data.test), 3)


@pytest.mark.parametrize("unusable", [without_validation, of_one_label])
def test_where_no_head_can_be_fitted_the_scorers_own_softmax_stands(tmp_path: Path, unusable: Unusable) -> None:
    data = unusable(small_data())
    made = make(data, tmp_path / "out")
    assert (
        "the scorer's own probabilities stand: PermanentError: No validation text is negative" in made.report.figures["warning"]
    )
    assert made.trained.scorer.terms, "the terms are learned all the same"
    assert (made.report.figures["ablation"], made.report.figures["label_balance"]) == (None, None)
    answers = made.served.predict(data.test.texts, data.test.features)
    assert np.allclose(answers, softmax(made.served.logits(data.test.texts)))
    assert float((answers.argmax(axis=1) == data.test.labels).mean()) > 0.8


@pytest.mark.parametrize("unusable", [without_validation, of_one_label])
def test_where_no_head_can_be_fitted_the_deployed_versions_stands(tmp_path: Path, unusable: Unusable) -> None:
    data = unusable(small_data())
    made = make(data, tmp_path / "out", deployed(tmp_path))
    assert "the deployed version's stands" in made.report.figures["warning"]
    logits = made.served.logits(data.test.texts)
    assert np.allclose(made.served.head.probabilities(logits), head_for(CHAMPION).probabilities(logits))
    assert made.report.figures["ablation"] is None, "that of the older version's data"


def test_a_head_of_another_feature_schema_does_not_stand_in(tmp_path: Path) -> None:
    data = without_validation(small_data())
    made = make(data, tmp_path / "out", deployed(tmp_path, feature_schema="v0"))
    assert "the scorer's own probabilities stand" in made.report.figures["warning"]
    assert made.served.head.feature_schema == data.feature_schema


def test_with_nothing_at_all_to_learn_from_the_deployed_version_is_made_again(tmp_path: Path) -> None:
    data = without_training_texts(without_validation(small_data()))
    made = make(data, tmp_path / "out", deployed(tmp_path))
    assert made.trained.scorer == CHAMPION
    assert len(made.warned) == 2
    assert made.report.figures["warning"] == " ".join(made.warned)


def test_a_deployed_version_of_another_lexicon_is_passed_over(tmp_path: Path) -> None:
    other = VaderScorer(negative_below=-0.5, positive_above=0.5, steepness=0.5, terms={"gross": LearnedTerm(-1.0, -2.0)})
    made = make(without_training_texts(small_data()), tmp_path / "out", deployed(tmp_path, other))
    assert made.trained.scorer == STOCK_SCORER
    assert made.warned[0].startswith("compared with the stock lexicon: 'gross' was learned from the stock valence")


def test_a_good_fit_does_not_warn_and_the_report_lists_what_moved_against_the_champion(tmp_path: Path) -> None:
    data = small_data()
    made = make(data, tmp_path / "out", deployed(tmp_path))
    moved = moved_terms(CHAMPION, made.trained.scorer)
    assert "warning" not in made.report.figures
    assert made.warned == []
    assert made.report.figures["terms_moved"] == moved_summary(CHAMPION, made.trained.scorer)
    assert len(moved) == made.report.figures["terms_moved"]["count"] > 5
    gone = next(term for term in moved if term.term == "poison pill")
    assert (gone.old_valence, gone.new_valence, gone.evidence) == (-2.0, 0.0, 0)
    for term in moved:
        rows = [n for n, text in enumerate(data.train.texts) if f" {term.term} " in f" {text.lower()} "]
        assert term.evidence == len(rows)
        assert {int(example) for example in term.examples} <= set(rows)
    assert [term.size for term in moved] == sorted((term.size for term in moved), reverse=True)


def test_the_table_of_moved_terms_shows_the_most_of_them_with_their_evidence(tmp_path: Path) -> None:
    made = make(small_data(), tmp_path / "out", deployed(tmp_path))
    moved = made.report.figures["terms_moved"]
    lines = terms_table(moved).splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][1:]
    assert lines[0].startswith(f"{moved['count']} terms moved")
    assert [row[0] for row in rows] == [term["term"] for term in moved["most"]][:TERMS_SHOWN]
    pill = next(row for row in rows if row[0] == "poison pill")
    assert pill[1:6] == ["-2.00", "0", "0", "0", "0"]
    assert [row[5] for row in rows] == [str(term["evidence"]) for term in moved["most"]][:TERMS_SHOWN]
    assert rows[0][6] == ", ".join(f"`{example}`" for example in moved["most"][0]["examples"])


def test_the_table_of_moved_terms_keeps_its_form_and_names_the_constants_that_differ() -> None:
    odd = [{**moved_summary(CHAMPION, STOCK_SCORER)["most"][0], "term": f"a|b {n}"} for n in range(40)]
    table = terms_table({"count": 99, "most": odd, "constants": {"negation_factor": [-0.74, -0.5]}})
    assert table.startswith(f"99 terms moved; the {TERMS_SHOWN} that moved most.")
    assert table.count("| a\\|b ") == TERMS_SHOWN
    assert "| negation_factor | -0.740 | -0.500 |" in table
    assert terms_table({"count": 0, "most": [], "constants": {}}) == "0 terms moved."


def test_a_version_that_was_not_learned_is_published_and_its_check_warns_until_one_is(engine: Engine, settings: Settings) -> None:
    access, now = RegistryAccess(settings), datetime(2026, 3, 2, tzinfo=UTC)
    assert evaluate_learning(engine, "vader") == LearningOutcome(None, None)
    versions, outcomes = [], []
    for digest, data in (("a", of_one_label(tiny_data())), ("b", tiny_data())):
        with engine.begin() as connection:
            write_training_set(connection, digest * 64, "v1", {}, stored(data))
        made = train_and_publish(
            engine,
            access,
            "vader",
            TrainingOptions(parameters={"trials": 0}),
            run_id="run",
            now=lambda: now,
            progress=lambda _: None,
        )
        versions.append(made)
        outcomes.append(evaluate_learning(engine, "vader"))
    failed, learned = (learning_result(outcome) for outcome in outcomes)
    assert (failed.passed, failed.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "No head could be fitted" in str(failed.description)
    assert failed.metadata["version"].value == versions[0].version
    assert "**Warning.** No head could be fitted" in model_card(versions[0].manifest)
    assert "| scorer alone |" not in model_card(versions[0].manifest)
    assert (learned.passed, learned.metadata["version"].value) == (True, versions[1].version)
    assert "| scorer alone |" in model_card(versions[1].manifest)
