"""k-fold by story: stories stay whole, feedback is not judged, and a family that takes long keeps its scorer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sentiment_platform.features.compute import compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.models.evaluation.fold_figures import FoldFigures
from sentiment_platform.models.evaluation.folds import FOLDS, mean_over_folds, measure_folds
from sentiment_platform.models.families import FAMILIES, load_model, trainer
from sentiment_platform.models.family import LabelledTexts, Progress, TrainingData, TrainingOptions, TrainingWorld
from sentiment_platform_tests.models.bayes import ENTRY

STORIES, COPIES = 180, 3
TRAIN, VALIDATION = 80, 130


@pytest.fixture(autouse=True)
def bayes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "bayes", replace(ENTRY, for_folds={}))


def part(first: int, last: int, *, named: bool, label_set: str) -> LabelledTexts:
    """Stories whose label nothing but their own name tells: whoever saw a copy knows it, all others guess."""
    labels = np.random.default_rng(1).integers(0, 3, STORIES)
    rows = [(f"story{story} was told by paper{copy}", story) for story in range(first, last) for copy in range(COPIES)]
    return LabelledTexts(
        ids=[text for text, _ in rows],
        texts=[text for text, _ in rows],
        labels=np.array([labels[story] for _, story in rows], dtype=np.int64),
        features=np.array([compute_v1(text) for text, _ in rows], dtype=np.float64),
        label_sets=[label_set] * len(rows),
        stories=[str(story) if named else text for text, story in rows],
    )


def stories(*, named: bool = True, train_set: str = "desk") -> TrainingData:
    return TrainingData(
        digest="ab" * 32,
        feature_schema=V1.version,
        feature_names=V1.names,
        train=part(0, TRAIN, named=named, label_set=train_set),
        validation=part(TRAIN, VALIDATION, named=named, label_set="desk"),
        test=part(VALIDATION, STORIES, named=named, label_set="desk"),
    )


def measured(data: TrainingData, tmp_path: Path, told: list[Progress] | None = None) -> FoldFigures:
    family, options, said = trainer("bayes", TrainingWorld()), TrainingOptions(), [] if told is None else told
    folder = tmp_path / "version"
    folder.mkdir()
    family.export(family.train(data, options, said.append), data, folder, said.append)
    folds = measure_folds(family, load_model("bayes", folder), data, options, said.append)
    assert folds is not None
    return folds


def test_a_story_is_never_divided_and_where_texts_are_dealt_one_by_one_the_figure_is_a_lie(tmp_path: Path) -> None:
    told: list[Progress] = []
    folds = measured(stories(), tmp_path, told)
    assert (folds.refitted, folds.texts, folds.stories, len(folds.by_fold)) == ("family", STORIES * COPIES, STORIES, FOLDS)
    assert folds.accuracy.high < 0.6
    assert [report.done for report in told if "k-fold" in report.stage] == [1, 2, 3, 4, 5]


def test_dealt_one_by_one_copies_give_the_answer_away(tmp_path: Path) -> None:
    assert measured(stories(named=False), tmp_path).accuracy.low > 0.8


def test_what_users_said_trains_and_is_not_judged(tmp_path: Path) -> None:
    assert measured(stories(train_set="feedback"), tmp_path).texts == (STORIES - TRAIN) * COPIES


def test_a_family_that_takes_long_is_judged_on_what_it_did_not_train_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "bayes", ENTRY)
    folds = measured(stories(), tmp_path)
    assert (folds.refitted, folds.texts) == ("head", (STORIES - TRAIN) * COPIES)
    assert "was not trained on these texts" in folds.words()


def test_labels_that_are_too_few_have_no_folds() -> None:
    few = replace(stories(), train=part(0, 2, named=True, label_set="desk"), validation=part(2, 3, named=True, label_set="desk"))
    family = trainer("bayes", TrainingWorld())
    none = part(3, 4, named=True, label_set="desk")
    assert measure_folds(family, None, replace(few, test=none), TrainingOptions(), lambda _: None) is None  # type: ignore[arg-type]


def test_the_interval_is_that_of_students_t() -> None:
    from scipy import stats

    values = np.array([0.70, 0.72, 0.75, 0.71, 0.74])
    low, high = stats.t.interval(0.95, df=4, loc=values.mean(), scale=stats.sem(values))
    shown = mean_over_folds(values, 500)
    assert (shown.low, shown.high, shown.n) == (pytest.approx(low), pytest.approx(high), 500)
