"""Every version that matters now, on the newest holdout, from the answers that its family's evaluation stored.

The asset `ab_evaluation` alone computes this. Whoever wants to know what came of it reads the evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparing import as_array
from sentiment_platform.experiments.comparison import Comparison
from sentiment_platform.experiments.contenders import Contenders, read_contenders
from sentiment_platform.experiments.contestants import Contestant, Holdout, contestant, holdout_of
from sentiment_platform.experiments.disagreement import Disagreement, disagreement
from sentiment_platform.experiments.error_budget import attempt_number, level_of
from sentiment_platform.experiments.evidence import GateEvidence, questions_of_the_year, record_evidence
from sentiment_platform.experiments.floor import Floor, floor_of
from sentiment_platform.experiments.gate import propose
from sentiment_platform.experiments.planning import with_plan
from sentiment_platform.experiments.weighing import question_of, weigh
from sentiment_platform.models.evaluation.contrast_suite import ContrastScore
from sentiment_platform.models.evaluation.holdout import compare_answers
from sentiment_platform.models.evaluation.seen_data import knows_the_set
from sentiment_platform.models.evaluation.seen_texts import learned_from, origins_not_known
from sentiment_platform.models.evaluation.technical import TechnicalFigures
from sentiment_platform.models.families import evaluation_asset_name
from sentiment_platform.models.family import LABELS
from sentiment_platform.registry.versions import VersionTag
from sentiment_platform.statistics.arrays import Floats
from sentiment_platform.store.experiments import comparison_id, write_experiment
from sentiment_platform.store.figures import holdout_predictions
from sentiment_platform.store.training_sets import StoredExample, latest_training_set, training_examples
from sentiment_platform.store.versions import RegisteredVersion, get_version


@dataclass(frozen=True, kw_only=True)
class HoldoutComparison:
    """The contenders pairwise; `sides` is version -> what it brings, rows in the order of `example_ids`."""

    example_ids: list[str]
    holdout: Holdout
    sides: dict[str, Contestant]
    contenders: Contenders
    comparisons: list[Comparison]
    floors: tuple[Floor, ...]
    attempt: int

    def evidence(self) -> GateEvidence:
        """What the gate reads of it."""
        return GateEvidence(
            training_set=self.holdout.training_set,
            n=len(self.holdout.labels),
            contenders=self.contenders,
            comparisons=tuple(self.comparisons),
            floors=self.floors,
            attempt=self.attempt,
            level=level_of(self.attempt),
            proposal=propose(self.contenders, self.comparisons, self.floors),
        )

    def disagreement(self, comparison: Comparison) -> Disagreement:
        """Where the two versions of `comparison` answer differently, on the whole holdout."""
        a, b = self.sides[comparison.a].probabilities, self.sides[comparison.b].probabilities
        return disagreement((comparison.a, comparison.b), self.example_ids, self.holdout.labels, a, b)


def compare_on_holdout(engine: Engine, now: datetime) -> HoldoutComparison:
    """Read the contenders and what they answered, and compare all of them at the level of this attempt.

    Raises:
        PermanentError: there is no training set or no version yet, or a version has not answered every text of the newest holdout.
    """
    with engine.connect() as connection:
        holdout, examples = newest_holdout(connection)
        contenders = read_contenders(connection)
        if not contenders.versions():
            raise PermanentError("There is no version to compare yet.", remedy="Run `sentiment-platform run train_job`.")
        sides = {version: read_side(connection, version, holdout, examples) for version in contenders.versions()}
        question = question_of(contenders, holdout.training_set)
        attempt = attempt_number(questions_of_the_year(connection, now), question) if question else 1
    first = [version for family, version in contenders.newest.items() if family not in contenders.champions]
    floors = tuple(floor for version in first if (floor := floor_of(holdout, sides[version])))
    comparisons = weigh(contenders, holdout, sides, level=level_of(attempt), floors=floors)
    return HoldoutComparison(
        example_ids=[example.example_id for example in examples],
        holdout=holdout,
        sides=sides,
        contenders=contenders,
        comparisons=[with_plan(pair, holdout.labels) for pair in comparisons],
        floors=floors,
        attempt=attempt,
    )


def newest_holdout(connection: Connection) -> tuple[Holdout, list[StoredExample]]:
    """The test part of the newest training set, and its rows in the same order.

    Raises:
        PermanentError: no training set has been made yet.
    """
    newest = latest_training_set(connection)
    if newest is None:
        raise PermanentError("No training set has been made yet.", remedy="Materialize the asset training_set.")
    examples = training_examples(connection, newest.digest, "test")
    labels = np.array([LABELS.index(example.label) for example in examples], dtype=np.int64)  # type: ignore[arg-type]
    return holdout_of(newest.digest, labels, [example.story_id for example in examples]), list(examples)


class _Measured(msgspec.Struct, frozen=True):
    """What was measured of a version when it was registered; a starter's cost was not."""

    technical: TechnicalFigures | None = None
    contrast: ContrastScore | None = None


def read_side(connection: Connection, version: str, holdout: Holdout, examples: Sequence[StoredExample]) -> Contestant:
    """What `version` brings to `holdout`, whose rows are `examples`.

    Raises:
        PermanentError: it is not registered, or has not answered every text.
    """
    registered = get_version(connection, version)
    if registered is None:
        raise PermanentError(f"{version} is not registered here.", remedy="Run `sentiment-platform models sync`.")
    ids = [example.example_id for example in examples]
    learned = learned_from(connection, registered, ids)
    measured = msgspec.convert(registered.manifest.figures, _Measured)
    return contestant(
        holdout,
        version,
        _answers(connection, registered, holdout.training_set, ids),
        np.array([key in learned for key in ids], dtype=np.bool_),
        family=registered.family,
        knows_the_set=knows_the_set(
            registered.manifest.base_model, registered.manifest.figures, {example.label_set for example in examples}
        ),
        origins_not_known=tuple(origins_not_known(connection, registered)),
        technical=measured.technical,
        contrast=measured.contrast,
    )


def _answers(connection: Connection, registered: RegisteredVersion, training_set: str, ids: Sequence[str]) -> Floats:
    version = registered.version
    stored: Mapping[str, Sequence[float]] = holdout_predictions(connection, version, training_set)
    answers = compare_answers(version, ids, stored)
    if not answers.complete:
        answered = answers.asked - len(answers.missing) - len(answers.malformed)
        raise PermanentError(
            f"{version} answered {answered} of {answers.asked} holdout texts of training set {training_set[:12]}.",
            remedy=f"Materialize the asset {evaluation_asset_name(VersionTag.parse(version).family)}.",
        )
    return as_array(stored, ids)


def store_comparison(engine: Engine, compared: HoldoutComparison, *, run_id: str, made_at: datetime) -> str:
    """Store the evidence, and a row of `experiments` for each pair with its words and disagreement; returns the evidence's digest."""
    with engine.begin() as connection:
        for comparison in compared.comparisons:
            write_experiment(connection, comparison_row(comparison, compared.disagreement(comparison), run_id))
        return record_evidence(connection, compared.evidence(), run_id=run_id, made_at=made_at)


def comparison_row(comparison: Comparison, differences: Disagreement, run_id: str) -> dict[str, Any]:
    """The row of `experiments` for a comparison."""
    result = {
        **msgspec.to_builtins(comparison),
        "words": comparison.words(),
        "in_sample": comparison.in_sample,
        "disagreement": msgspec.to_builtins(differences),
    }
    return {
        "id": comparison_id(comparison.training_set, comparison.a, comparison.b),
        "kind": "offline",
        "champion": comparison.a,
        "challenger": comparison.b,
        "verdict": comparison.verdict,
        "result": result,
        "run_id": run_id,
    }
