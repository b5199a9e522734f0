"""Requests as they were served, asked once more of a version that did not answer them: what would change for users.

Pure figures are `answer_changes`. Nothing follows from them by itself: a changed answer is no wrong one.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import COMPUTE, NO_CONTEXT
from sentiment_platform.models.evaluation.answer_changes import AnswerChanges, changes_of
from sentiment_platform.models.families import load_model
from sentiment_platform.models.family import Floats
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.documents import canonical_json
from sentiment_platform.store.deployments import latest_deployment
from sentiment_platform.store.experiments import REPLAY, write_experiment
from sentiment_platform.store.served_answers import ServedAnswer, newest_answers
from sentiment_platform.store.versions import RegisteredVersion, get_version

MOST_REQUESTS = 1_000
TIMED = 100
"""Texts that are asked one at a time, as serving does, to see how long each takes; all others in batches."""


def replay_version(
    engine: Engine,
    access: RegistryAccess,
    version: str,
    *,
    served_by: str | None = None,
    most: int = MOST_REQUESTS,
    report: Callable[[int], None] = lambda _: None,
) -> AnswerChanges | str:
    """Ask `version` the newest requests that `served_by` answered (None: `whose_answers`), and compare; or why there is nothing to ask.

    Load tests and texts that no model can read are left out; each text counts once.

    Args:
        report: told how many requests have been answered.

    Raises:
        PermanentError: a version is not registered here.
    """
    with engine.connect() as connection:
        registered = get_version(connection, version)
        if registered is None or (served_by is not None and get_version(connection, served_by) is None):
            name = version if registered is None else served_by
            raise PermanentError(f"{name} is not registered here.", remedy="See `sentiment-platform models list`.")
        champion = served_by or whose_answers(connection, registered)
        served = newest_answers(connection, champion, most) if champion else []
    if champion is None:
        return f"No other version than {version} is deployed: there are no answers to hold its own against."
    if not served:
        return f"{champion} has not answered a request yet that counts: there is nothing to replay."
    return _compare(access, registered, champion, served, report)


def whose_answers(connection: Connection, version: RegisteredVersion) -> str | None:
    """The deployed version of its family; where that is itself, or there is none, the one that answers by default. None: no other."""
    deployed = latest_deployment(connection)
    if deployed is None:
        return None
    champions = deployed.versions()
    ranked = (champions.get(version.family), champions.get(deployed.default_family))
    return next((name for name in ranked if name is not None and name != version.version), None)


def store_replay(connection: Connection, changes: AnswerChanges, *, run_id: str) -> str:
    """Store it as a row of `experiments`, named by its content; returns the name."""
    # What took how long is another one each time: the same answers are one row.
    name = sha256(canonical_json(msgspec.structs.replace(changes, served_latency=None, latency=None))).hexdigest()[:32]
    row: dict[str, Any] = {
        "id": name,
        "kind": REPLAY,
        "champion": changes.served_by,
        "challenger": changes.version,
        "verdict": "told, not judged",
        "result": {**msgspec.to_builtins(changes), "words": changes.words()},
        "run_id": run_id,
    }
    write_experiment(connection, row)
    return name


def _compare(
    access: RegistryAccess,
    version: RegisteredVersion,
    champion: str,
    served: Sequence[ServedAnswer],
    report: Callable[[int], None],
) -> AnswerChanges:
    directory, _ = access.fetch(version.version, version.manifest_digest)
    model = load_model(version.family, directory, threads=1)
    texts, features = [one.text for one in served], _features(served, model.feature_schema)
    answers, took = np.empty((len(served), 3)), list[float]()
    for row in range(min(TIMED, len(served))):
        began = time.perf_counter()
        answers[row] = model.predict(texts[row : row + 1], features[row : row + 1])[0]
        took.append(1000 * (time.perf_counter() - began))
        report(row + 1)
    for start in range(len(took), len(served), model.batch_size):
        rows = slice(start, start + model.batch_size)
        answers[rows] = model.predict(texts[rows], features[rows])
        report(min(rows.stop, len(served)))
    times: list[datetime] = [one.predicted_at for one in served]
    before = [one.inference_ms for one in served if one.inference_ms is not None]
    return changes_of(
        texts,
        np.array([one.probabilities for one in served], dtype=np.float64),
        answers,
        times,
        (before, took),
        version=version.version,
        served_by=champion,
        other_schema=sum(one.feature_schema != model.feature_schema for one in served),
    )


def _features(served: Sequence[ServedAnswer], schema: str) -> Floats:
    """Those that the answers were made with; of another schema those of the text alone."""
    vectors = [one.features if one.feature_schema == schema else COMPUTE[schema](one.text, NO_CONTEXT) for one in served]
    return np.array([[np.nan if value is None else value for value in vector] for vector in vectors], dtype=np.float64)
