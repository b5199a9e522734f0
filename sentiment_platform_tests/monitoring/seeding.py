"""Rows as the rest of the platform leaves them: a deployed version with its training set, served predictions, feedback on them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine, insert, select

from sentiment_platform.features.schema import V1
from sentiment_platform.labels.examples import AUDIT_SET, LabelledExample
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.registry.manifest import FeatureSchema, Manifest, Metric
from sentiment_platform.store.tables import Feedback, Prediction, RetrainDecision
from sentiment_platform.store.training_sets import StoredExample
from sentiment_platform.text.normalise import text_hash
from sentiment_platform.text.sentiment import LABELS, Label
from sentiment_platform_tests.registry.examples import manifest_of
from sentiment_platform_tests.versions import answer_holdout, deploy, register, store_training_set

Floats = npt.NDArray[np.float64]

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)
VERSION, DIGEST = "v1.0.0-vader", "d" * 64
CONTEXT = ("story_outlets", "ticker_articles_1d", "source_articles_7d", "hour_utc", "weekday")


def features(n: int, seed: int, shift: Mapping[str, float] | None = None) -> Floats:
    """(n, 15) values of a standard normal, those named in `shift` moved by so many standard deviations."""
    values = np.random.default_rng(seed).normal(size=(n, len(V1.names)))
    for name, by in (shift or {}).items():
        values[:, V1.names.index(name)] += by
    return values


def without(values: Floats, *names: str) -> Floats:
    """The same with NaN for these features."""
    values = values.copy()
    values[:, [V1.names.index(name) for name in names]] = np.nan
    return values


def probabilities(n: int, seed: int, weights: tuple[float, float, float] = (2.0, 3.0, 2.5)) -> Floats:
    """(n, 3) rows of a Dirichlet distribution."""
    return np.random.default_rng(seed).dirichlet(weights, size=n)


def rows(values: Floats) -> list[list[float | None]]:
    return [[None if np.isnan(x) else float(x) for x in row] for row in values]


def seed_training_set(engine: Engine, train: Floats, *, digest: str = DIGEST) -> None:
    """A training set whose train part has these features; its texts are `fitted 0`, `fitted 1`..."""
    texts = [f"fitted {i}" for i in range(len(train))]
    examples = [
        StoredExample(
            example_id=text_hash(text)[:32],
            part="train",
            text=text,
            label=LABELS[i % 3],
            label_set="tests",
            story_id=f"story {i}",
            available_at=None,
            features=tuple(values),
        )
        for i, (text, values) in enumerate(zip(texts, rows(train), strict=True))
    ]
    store_training_set(engine, digest, examples)


def manifest(version: str = VERSION, *, accuracy: float = 0.8) -> Manifest:
    """Of a version that was made from the training set and was right in that share of its test part."""
    return msgspec.structs.replace(
        manifest_of(version),
        feature_schema=FeatureSchema("v1", V1.hash, V1.names),
        metrics={"accuracy": Metric(value=accuracy, low=accuracy - 0.04, high=accuracy + 0.04, n=400, dataset="its test part")},
        training_set=DIGEST,
    )


def seed_version(engine: Engine, *, version: str = VERSION, accuracy: float = 0.8) -> None:
    register(engine, manifest(version, accuracy=accuracy))


def seed_deployment(engine: Engine, version: str = VERSION) -> None:
    deploy(engine, manifest(version), published_at=NOW - timedelta(days=2))


def seed_deployed(engine: Engine, train: Floats | None = None, *, held_out: int = 400) -> None:
    """A training set, the version made of it with its answers on the holdout, and the deployment that names it."""
    seed_training_set(engine, features(800, 1) if train is None else train)
    seed_version(engine)
    seed_deployment(engine)
    if held_out:
        answers = probabilities(held_out, 2)
        answer_holdout(engine, VERSION, DIGEST, {f"held out {i}": [float(p) for p in row] for i, row in enumerate(answers)})


def seed_predictions(
    engine: Engine,
    values: Floats,
    answers: Floats,
    *,
    version: str = VERSION,
    until: datetime = NOW,
    prefix: str = "served",
    texts: Sequence[str] | None = None,
) -> list[str]:
    """One prediction a row, a minute apart, the last one a minute before `until`; returns their ids."""
    ids = [f"{prefix}-{i}" for i in range(len(answers))]
    records: list[dict[str, Any]] = []
    for i, (vector, answer) in enumerate(zip(rows(values), answers, strict=True)):
        text = texts[i] if texts else f"{prefix} {i}"
        records.append(
            {
                "id": ids[i],
                "predicted_at": until - timedelta(minutes=len(answers) - i),
                "route": "/predict",
                "family": version.rsplit("-", 1)[1],
                "model_version": version,
                "manifest_digest": "m" * 64,
                "deployment_revision": 1,
                "text": text,
                "text_hash": text_hash(text),
                "feature_schema": "v1",
                "features": vector,
                "features_hash": "f",
                "feature_status": "PRESENT",
                "probabilities": [float(p) for p in answer],
                "sentiment": float(answer[2] - answer[0]),
                "confidence": float(answer.max()),
                "cache_hit": False,
                "degraded": False,
                "latency_ms": {"total": 1.0},
                "instance": "tests",
            }
        )
    with engine.begin() as connection:
        connection.execute(insert(Prediction), records)
    return ids


def seed_weeks(
    engine: Engine,
    weeks: Sequence[int] = (0, 1, 2, 3, 4),
    *,
    n: int = 300,
    shift: Mapping[str, float] | None = None,
    weights: tuple[float, float, float] = (2.0, 3.0, 2.5),
    version: str = VERSION,
    texts: str = "served",
    now: datetime = NOW,
) -> None:
    """So many stories at the end of each of these weeks before `now` (0: the newest), all of one kind."""
    for week in weeks:
        seed_predictions(
            engine,
            features(n, 100 + week, shift),
            probabilities(n, 200 + week, weights),
            version=version,
            until=now - timedelta(days=7 * week),
            prefix=f"{texts}-{version}-{now:%m%d}-{week}",
            texts=[f"{texts} {(now - NOW).days * 1000 + week * n + i}" for i in range(n)],
        )


def seed_feedback(
    engine: Engine,
    prediction_id: str,
    *,
    label: str | None = None,
    preference: str | None = None,
    utility: float | None = None,
    comment: str | None = None,
    voice: str | None = "desk",
    received_at: datetime = NOW,
    shipped_at: datetime | None = None,
    number: int = 0,
) -> None:
    """`voice`: whose word it is; None for nobody with a key."""
    row: dict[str, Any] = {
        "id": f"feedback-{prediction_id}-{number}",
        "prediction_id": prediction_id,
        "label": label,
        "preference": preference,
        "utility": utility,
        "comment": comment,
        "voice": voice,
        "received_at": received_at,
    }
    with engine.begin() as connection:
        connection.execute(insert(Feedback).values(row if shipped_at is None else row | {"shipped_at": shipped_at}))


def seed_audit(engine: Engine, said: Mapping[str, Label], *, annotator: str = "reader", label_set: str = AUDIT_SET) -> None:
    """What people who were asked to say of texts: text -> label."""
    examples = [
        LabelledExample(
            label_set=label_set,
            external_id=text_hash(text)[:32],
            text=text,
            label=label,
            annotator=annotator,
            licence="CC0-1.0",
        )
        for text, label in said.items()
    ]
    import_labels(engine, examples)


def audit_everything(engine: Engine, *, right: int) -> None:
    """People label every text that was served: so many of ten as it was answered, the others otherwise."""
    with engine.connect() as connection:
        answers = connection.execute(select(Prediction.text, Prediction.probabilities).order_by(Prediction.id)).all()
    likeliest = {text: int(np.argmax(probabilities)) for text, probabilities in answers}
    said = {text: LABELS[(index + (n % 10 >= right)) % 3] for n, (text, index) in enumerate(likeliest.items())}
    seed_audit(engine, said)


def answering(label: str, confidence: float = 0.8) -> list[float]:
    """Probabilities whose largest, `confidence`, is that of `label`."""
    answer = [(1 - confidence) / 2] * 3
    answer[LABELS.index(label)] = confidence  # type: ignore[arg-type]
    return answer


def seed_decision(
    engine: Engine, name: str, at: datetime, *, retrain: bool = True, kinds: Sequence[str] = ("data_drift",)
) -> None:
    causes = [{"kind": kind, "subject": VERSION, "statement": f"{kind} of {name}"} for kind in kinds]
    with engine.begin() as connection:
        connection.execute(
            insert(RetrainDecision).values(
                id=name,
                decided_at=at,
                retrain=retrain,
                reasons={"statement": f"because of {name}.", "causes": causes},
                evidence={},
                run_id="run",
            )
        )
