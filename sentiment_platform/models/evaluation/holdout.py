"""Versions on the test part of the newest training set, as they will be served: fetched, verified, loaded.

What the comparison will weigh is answered here, and nowhere else: the newest version of a family, and its champion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import isclose, isfinite

import msgspec
from sqlalchemy import Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.evaluation.contrast_suite import ContrastScore, score_contrast
from sentiment_platform.models.evaluation.evaluation import Evaluation, evaluate, figures
from sentiment_platform.models.evaluation.fold_figures import FoldFigures
from sentiment_platform.models.evaluation.seen_data import in_sample
from sentiment_platform.models.families import load_model, model_asset_name
from sentiment_platform.models.training_data import read_training_data
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.statistics.estimate import ACCURACY, MACRO_F1
from sentiment_platform.store.deployments import latest_deployment
from sentiment_platform.store.figures import Figure, holdout_predictions, write_figures, write_holdout_predictions
from sentiment_platform.store.training_sets import latest_training_set, training_examples
from sentiment_platform.store.versions import RegisteredVersion, get_version, latest_version
from sentiment_platform.text.sentiment import LABELS


@dataclass(frozen=True, kw_only=True)
class HoldoutEvaluation:
    """What a version answered on the holdout of `training_set`, and on the contrast pairs.

    `in_sample` is true when the version's base, or its starter, has been trained on labels of that holdout. `folds` are figures of the
    k-fold that was made when the version was trained.
    """

    version: str
    training_set: str
    example_ids: Sequence[str]
    evaluation: Evaluation
    contrast: ContrastScore
    in_sample: bool
    folds: Sequence[Figure] = ()

    def rows(self) -> list[tuple[str, list[float]]]:
        """(example id, probabilities) to store."""
        return [(key, [float(p) for p in row]) for key, row in zip(self.example_ids, self.evaluation.probabilities, strict=True)]

    def digest(self) -> str:
        """Names version, holdout and answers."""
        content = self.version.encode() + self.training_set.encode() + self.evaluation.probabilities.round(6).tobytes()
        return sha256(content).hexdigest()


def holdout_window(training_set: str) -> str:
    """The name under which figures of this holdout stand in `model_performance`."""
    return f"holdout:{training_set[:12]}"


def evaluate_latest(engine: Engine, access: RegistryAccess, family: str) -> HoldoutEvaluation:
    """Evaluate the newest registered version of `family`.

    Raises:
        PermanentError: the family has no version yet.
    """
    with engine.connect() as connection:
        version = latest_version(connection, family)
    if version is None:
        raise PermanentError(f"There is no version of {family} yet.", remedy=f"Materialize the asset {model_asset_name(family)}.")
    return evaluate_registered(engine, access, version)


def evaluate_version(engine: Engine, access: RegistryAccess, version: str) -> HoldoutEvaluation:
    """Evaluate the version with that tag."""
    with engine.connect() as connection:
        registered = get_version(connection, version)
    if registered is None:
        raise PermanentError(f"{version} is not registered here.", remedy="See `sentiment-platform models list`.")
    return evaluate_registered(engine, access, registered)


def evaluate_registered(engine: Engine, access: RegistryAccess, version: RegisteredVersion) -> HoldoutEvaluation:
    """Fetch, verify, load, and run over the test part of the newest training set."""
    data = read_training_data(engine)
    directory, _ = access.fetch(version.version, version.manifest_digest)
    model = load_model(version.family, directory, threads=0)
    return HoldoutEvaluation(
        version=version.version,
        training_set=data.digest,
        example_ids=data.test.ids,
        evaluation=evaluate(model, data.test),
        contrast=score_contrast(model),
        in_sample=in_sample(version.manifest.base_model, version.manifest.figures, data.test.ids, data.test.label_sets),
        folds=_fold_figures(version),
    )


class _Folded(msgspec.Struct, frozen=True):
    """Of the figures of a manifest: the k-fold, and whether the base has seen the labels."""

    folds: FoldFigures | None = None
    in_sample: bool = False


def _fold_figures(version: RegisteredVersion) -> list[Figure]:
    """Of its manifest; none of a version of before they were measured."""
    manifest = version.manifest
    read = msgspec.convert(manifest.figures, _Folded)
    if read.folds is None:
        return []
    window = f"folds:{manifest.training_set[:12]}"
    named = {ACCURACY: read.folds.accuracy, MACRO_F1: read.folds.macro_f1}
    return [
        Figure(version=version.version, window=window, metric=metric, in_sample=read.in_sample, **msgspec.structs.asdict(value))
        for metric, value in named.items()
    ]


def store_evaluation(engine: Engine, measured: HoldoutEvaluation, as_of: datetime) -> int:
    """Store figures and answers; returns how many figures are new or changed."""
    window = holdout_window(measured.training_set)
    rows = [*figures(measured.version, window, measured.evaluation, in_sample=measured.in_sample), *measured.folds]
    with engine.begin() as connection:
        write_holdout_predictions(connection, measured.version, measured.training_set, measured.rows())
        return write_figures(connection, rows, as_of)


@dataclass(frozen=True)
class FamilyEvaluation:
    """The newest version of a family, measured and stored; `champion` too, where it had to be answered for this holdout."""

    newest: HoldoutEvaluation
    champion: HoldoutEvaluation | None
    figures_added: int


def evaluate_family(engine: Engine, access: RegistryAccess, family: str, as_of: datetime) -> FamilyEvaluation | None:
    """Evaluate the newest version of `family`, and its champion where that is another one that has not answered this holdout.

    Both are stored. A champion that answered before is left alone: its answers do not change. None: the family has no version yet,
    as long as only others were trained.

    Raises:
        PermanentError: the champion of the family is not registered here.
    """
    with engine.connect() as connection:
        if latest_version(connection, family) is None:
            return None
    newest = evaluate_latest(engine, access, family)
    added = store_evaluation(engine, newest, as_of)
    with engine.connect() as connection:
        deployed = latest_deployment(connection)
        version = (deployed.versions() if deployed else {}).get(family, newest.version)
        answers = holdout_predictions(connection, version, newest.training_set)
    if compare_answers(version, newest.example_ids, answers).complete:
        return FamilyEvaluation(newest, None, added)
    champion = evaluate_version(engine, access, version)
    return FamilyEvaluation(newest, champion, added + store_evaluation(engine, champion, as_of))


@dataclass(frozen=True)
class HoldoutAnswers:
    """What stands stored of a version's answers: ids of holdout texts without one, and with one that is no distribution."""

    version: str | None
    asked: int
    missing: tuple[str, ...]
    malformed: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every text of a holdout that has any was answered by three probabilities."""
        return self.asked > 0 and not self.missing and not self.malformed


def evaluate_answers(engine: Engine, family: str) -> HoldoutAnswers:
    """Compare what the newest version of `family` answered with what the newest holdout asks."""
    with engine.connect() as connection:
        version, newest = latest_version(connection, family), latest_training_set(connection)
        if version is None or newest is None:
            return HoldoutAnswers(version.version if version else None, 0, (), ())
        asked = [example.example_id for example in training_examples(connection, newest.digest, "test")]
        stored = holdout_predictions(connection, version.version, newest.digest)
    return compare_answers(version.version, asked, stored)


def compare_answers(version: str, asked: Sequence[str], stored: Mapping[str, Sequence[float]]) -> HoldoutAnswers:
    """Which of the ids `asked` have no answer in `stored`, and which a wrong one."""
    answered = {key: stored[key] for key in asked if key in stored}
    malformed = tuple(key for key, row in answered.items() if not _is_distribution(row))
    return HoldoutAnswers(version, len(asked), tuple(key for key in asked if key not in answered), malformed)


def _is_distribution(row: Sequence[float]) -> bool:
    return len(row) == len(LABELS) and all(isfinite(p) and p >= 0 for p in row) and isclose(sum(row), 1, abs_tol=1e-6)
