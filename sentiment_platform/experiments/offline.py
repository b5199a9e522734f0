"""The offline comparison: every version that matters now, on the newest holdout, from stored answers; missing answers are computed."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparison import Comparison, as_array, compare_all
from sentiment_platform.experiments.disagreement import Disagreement, disagreement
from sentiment_platform.experiments.gate import Proposal, propose, versions_to_compare
from sentiment_platform.models.evaluation.evaluation import figures
from sentiment_platform.models.evaluation.holdout import evaluate_version, holdout_window
from sentiment_platform.models.evaluation.seen_data import in_sample
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.models.family import LABELS
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.statistics.arrays import Floats, Ints
from sentiment_platform.store.deployments import deployments
from sentiment_platform.store.experiments import write_experiment
from sentiment_platform.store.figures import holdout_predictions, write_figures, write_holdout_predictions
from sentiment_platform.store.training_sets import latest_training_set, training_examples
from sentiment_platform.store.versions import all_versions


@dataclass(frozen=True)
class Standing:
    """What runs, what is newest, and how all of it compares on the newest holdout."""

    training_set: str
    example_ids: list[str]
    labels: Ints
    probabilities: dict[str, Floats]
    comparisons: list[Comparison]
    newest: dict[str, str]
    champions: dict[str, str]
    default_family: str | None
    by_person: bool = False

    def proposal(self) -> Proposal | None:
        """What the gate makes of it."""
        return propose(self.newest, self.champions, self.default_family, self.comparisons, by_person=self.by_person)

    def disagreement(self, comparison: Comparison) -> Disagreement:
        """Where the two versions of `comparison` answer differently."""
        a, b = self.probabilities[comparison.a], self.probabilities[comparison.b]
        return disagreement((comparison.a, comparison.b), self.example_ids, self.labels, a, b)


def standing(engine: Engine, access: RegistryAccess) -> Standing:
    """Read it all; versions without answers on the newest holdout are evaluated first.

    `newest` leaves out what was deployed before and does not run any more.

    Raises:
        PermanentError: no training set, or no version yet.
    """
    with engine.connect() as connection:
        newest_set = latest_training_set(connection)
        if newest_set is None:
            raise PermanentError("No training set has been made yet.", remedy="Materialize the asset training_set.")
        examples = training_examples(connection, newest_set.digest, "test")
        newest: dict[str, str] = {}
        bases: dict[str, str] = {}
        for version in all_versions(connection):
            newest.setdefault(version.family, version.version)
            bases[version.version] = version.manifest.base_model
        history = [mirrored.document for mirrored in deployments(connection, limit=None)]
    deployed = history[0] if history else None
    champions = deployed.versions() if deployed else {}
    # What ran once and was replaced lost to something better, or somebody took it back: it returns by a person's word alone.
    retired = {version for document in history for version in document.versions().values()}
    newest = {
        family: champions.get(family, version) if version in retired else version
        for family, version in newest.items()
        if version not in retired or family in champions
    }
    # The cheapest family first, so that a table reads "transformer against VADER".
    ordered = {family: newest[family] for family in sorted(newest, key=lambda f: FAMILIES[f].cost if f in FAMILIES else 0)}
    ids = [example.example_id for example in examples]
    labels = np.array([LABELS.index(example.label) for example in examples], dtype=np.int64)  # type: ignore[arg-type]
    probabilities = {
        v: as_array(_answers(engine, access, v, newest_set.digest), ids) for v in versions_to_compare(ordered, champions)
    }
    label_sets = {example.label_set for example in examples}
    seen_by = {version for version in probabilities if in_sample(bases[version], label_sets)}
    comparisons = compare_all(newest_set.digest, labels, probabilities, seen_by)
    return Standing(
        newest_set.digest,
        ids,
        labels,
        probabilities,
        comparisons,
        ordered,
        champions,
        deployed.default_family if deployed else None,
        by_person=deployed is not None and deployed.by_person,
    )


def store_comparisons(engine: Engine, found: Standing, run_id: str) -> str:
    """Write one `experiments` row a pair; returns a digest of all results."""
    digest = sha256()
    with engine.begin() as connection:
        for comparison in found.comparisons:
            document: dict[str, Any] = msgspec.to_builtins(comparison)
            digest.update(msgspec.json.encode(comparison, order="deterministic"))
            key = sha256(f"{comparison.training_set} {comparison.a} {comparison.b}".encode()).hexdigest()[:32]
            write_experiment(
                connection,
                {
                    "id": key,
                    "kind": "offline",
                    "champion": comparison.a,
                    "challenger": comparison.b,
                    "verdict": comparison.verdict,
                    "result": document
                    | {
                        "words": comparison.words(),
                        "in_sample": comparison.in_sample,
                        "disagreement": msgspec.to_builtins(found.disagreement(comparison)),
                    },
                    "run_id": run_id,
                },
            )
    return digest.hexdigest()


def _answers(engine: Engine, access: RegistryAccess, version: str, training_set: str) -> dict[str, list[float]]:
    with engine.connect() as connection:
        stored = holdout_predictions(connection, version, training_set)
    if stored:
        return stored
    found = evaluate_version(engine, access, version)
    with engine.begin() as connection:
        write_figures(
            connection, figures(version, holdout_window(training_set), found.evaluation, in_sample=found.in_sample), utc_now()
        )
        write_holdout_predictions(connection, version, training_set, found.rows())
    return dict(found.rows())
