"""Every version that matters now, on the newest holdout, from the answers that its family's evaluation stored.

The asset `ab_evaluation` alone computes this. Whoever wants to know what came of it reads the evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparison import Comparison, as_array, compare_all
from sentiment_platform.experiments.contenders import Contenders, read_contenders
from sentiment_platform.experiments.disagreement import Disagreement, disagreement
from sentiment_platform.experiments.evidence import GateEvidence, record_evidence
from sentiment_platform.experiments.gate import propose
from sentiment_platform.models.evaluation.holdout import compare_answers
from sentiment_platform.models.evaluation.seen_data import in_sample
from sentiment_platform.models.families import evaluation_asset_name
from sentiment_platform.models.family import LABELS
from sentiment_platform.registry.versions import VersionTag
from sentiment_platform.statistics.arrays import Floats, Ints
from sentiment_platform.store.experiments import write_experiment
from sentiment_platform.store.figures import holdout_predictions
from sentiment_platform.store.training_sets import latest_training_set, training_examples
from sentiment_platform.store.versions import all_versions


@dataclass(frozen=True, kw_only=True)
class HoldoutComparison:
    """The contenders pairwise: (n,) true `labels` and, of each version, (n, 3) `probabilities` in the order of `example_ids`."""

    training_set: str
    example_ids: list[str]
    labels: Ints
    probabilities: dict[str, Floats]
    contenders: Contenders
    comparisons: list[Comparison]

    def evidence(self) -> GateEvidence:
        """What the gate reads of it."""
        return GateEvidence(
            training_set=self.training_set,
            n=len(self.labels),
            contenders=self.contenders,
            comparisons=tuple(self.comparisons),
            proposal=propose(self.contenders, self.comparisons),
        )

    def disagreement(self, comparison: Comparison) -> Disagreement:
        """Where the two versions of `comparison` answer differently."""
        a, b = self.probabilities[comparison.a], self.probabilities[comparison.b]
        return disagreement((comparison.a, comparison.b), self.example_ids, self.labels, a, b)


def compare_on_holdout(engine: Engine) -> HoldoutComparison:
    """Read the contenders and what they answered, and compare all of them.

    Raises:
        PermanentError: there is no training set or no version yet, or a version has not answered every text of the newest holdout.
    """
    with engine.connect() as connection:
        newest_set = latest_training_set(connection)
        if newest_set is None:
            raise PermanentError("No training set has been made yet.", remedy="Materialize the asset training_set.")
        training_set = newest_set.digest
        examples = training_examples(connection, training_set, "test")
        contenders = read_contenders(connection)
        if not contenders.versions():
            raise PermanentError("There is no version to compare yet.", remedy="Run `sentiment-platform run train_job`.")
        ids = [example.example_id for example in examples]
        probabilities = {version: _answers(connection, version, training_set, ids) for version in contenders.versions()}
        manifests = {version.version: version.manifest for version in all_versions(connection)}
    labels = np.array([LABELS.index(example.label) for example in examples], dtype=np.int64)  # type: ignore[arg-type]
    label_sets = {example.label_set for example in examples}
    seen_by = {
        version
        for version in probabilities
        if in_sample(manifests[version].base_model, manifests[version].figures, ids, label_sets)
    }
    return HoldoutComparison(
        training_set=training_set,
        example_ids=ids,
        labels=labels,
        probabilities=probabilities,
        contenders=contenders,
        comparisons=compare_all(training_set, labels, probabilities, seen_by),
    )


def _answers(connection: Connection, version: str, training_set: str, ids: Sequence[str]) -> Floats:
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
            write_experiment(connection, _row(comparison, compared.disagreement(comparison), run_id))
        return record_evidence(connection, compared.evidence(), run_id=run_id, made_at=made_at)


def _row(comparison: Comparison, differences: Disagreement, run_id: str) -> dict[str, Any]:
    result = {
        **msgspec.to_builtins(comparison),
        "words": comparison.words(),
        "in_sample": comparison.in_sample,
        "disagreement": msgspec.to_builtins(differences),
    }
    return {
        "id": sha256(f"{comparison.training_set} {comparison.a} {comparison.b}".encode()).hexdigest()[:32],
        "kind": "offline",
        "champion": comparison.a,
        "challenger": comparison.b,
        "verdict": comparison.verdict,
        "result": result,
        "run_id": run_id,
    }
