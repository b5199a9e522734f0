"""A running experiment as serving and promotion leave it: deployments that name it, answers in pairs or by arm, labels of people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Engine, text, update
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.experiments.assignment import shadow_answer_id
from sentiment_platform.experiments.online_reading import Evaluated, evaluate_running
from sentiment_platform.registry.deployment import Arm, Deployment, Experiment, Shadow
from sentiment_platform.registry.documents import digest
from sentiment_platform.store.deployments import latest_deployment
from sentiment_platform.store.predictions import insert_new
from sentiment_platform.store.tables import LabelRow, LabelSetRow, Prediction
from sentiment_platform.text.normalise import text_hash
from sentiment_platform.text.sentiment import LABELS
from sentiment_platform_tests.monitoring.seeding import NOW, answering, features, manifest, seed_predictions
from sentiment_platform_tests.registry.examples import deployment_of
from sentiment_platform_tests.versions import mirror, register

CHAMPION, CHALLENGER = "v1.0.0-vader", "v1.1.0-vader"


def said(number: int, right: bool) -> list[float]:
    """The answer to text `number`, whose label is the one of its number modulo 3."""
    return answering(LABELS[(number + (not right)) % 3])


def add_label_sets(engine: Engine) -> None:
    """`audit` of annotators, `said` of feedback."""
    with engine.begin() as connection:
        for name, kind in (("audit", "human"), ("said", "feedback")):
            connection.execute(insert(LabelSetRow).values(name=name, kind=kind, licence="ours"))


def write_words(
    engine: Engine,
    texts: Sequence[str],
    *,
    wrongly: bool = False,
    label_set: str = "audit",
    at: datetime = NOW,
    annotator: str = "ann",
    articles: Mapping[str, str] | None = None,
) -> None:
    """What an annotator says of texts that end with their number."""
    rows = [
        {
            "id": f"{annotator} {label_set} {words}",
            "label_set": label_set,
            "external_id": words,
            "annotator": annotator,
            "text": words,
            "text_hash": text_hash(words),
            "label": LABELS[(int(words.rsplit(" ", 1)[1]) + wrongly) % 3],
            "weight": 1.0,
            "article_id": (articles or {}).get(words),
            "inserted_at": at + timedelta(seconds=n),
        }
        for n, words in enumerate(texts)
    ]
    statement = insert(LabelRow).values(rows)
    new = statement.excluded
    changes = {"label": new.label, "inserted_at": new.inserted_at}
    with engine.begin() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))


@dataclass
class Trial:
    """Two registered versions, and the experiment between them."""

    engine: Engine
    articles: dict[str, str] = field(default_factory=dict[str, str])
    """text -> id of the article that it is the title of, where one was collected."""

    def __post_init__(self) -> None:
        for version in (CHAMPION, CHALLENGER):
            register(self.engine, manifest(version))
        add_label_sets(self.engine)

    def deploy(self, **changes: Any) -> Deployment:
        with self.engine.connect() as connection:
            document = deployment_of(manifest(CHAMPION), previous=latest_deployment(connection))
        document = msgspec.structs.replace(document, created_at=NOW - timedelta(days=10), **changes)
        mirror(self.engine, document, document.created_at)
        return document

    def shadow(self, phase: int = 1, share: float = 1.0, daily_cap: int = 100_000) -> Shadow:
        """The next deployment, with the challenger in shadow."""
        plan = Shadow(
            name="trial",
            phase=phase,
            version=CHALLENGER,
            manifest_digest=digest(manifest(CHALLENGER)),
            beside=CHAMPION,
            share=share,
            daily_cap=daily_cap,
        )
        self.deploy(shadow=plan)
        return plan

    def split(self, weight: float = 0.5, phase: int = 2) -> Experiment:
        arms = {
            "control": Arm(CHAMPION, digest(manifest(CHAMPION)), 1 - weight),
            "challenger": Arm(CHALLENGER, digest(manifest(CHALLENGER)), weight),
        }
        plan = Experiment("trial", phase, arms)
        self.deploy(experiment=plan)
        return plan

    def revision(self) -> int:
        with self.engine.connect() as connection:
            newest = latest_deployment(connection)
        assert newest is not None
        return newest.revision

    def served(self, answers: Sequence[list[float]], prefix: str = "asked", **columns: Any) -> list[str]:
        """Requests that the champion answered under the newest deployment."""
        ids = seed_predictions(self.engine, features(len(answers), 1), np.array(answers), version=CHAMPION, prefix=prefix)
        with self.engine.begin() as connection:
            of_these = update(Prediction).where(Prediction.id.in_(ids))
            connection.execute(of_these.values(deployment_revision=self.revision(), **columns))
        return ids

    def pairs(self, plan: Shadow, outcomes: Sequence[tuple[bool, bool]], prefix: str = "asked", **columns: Any) -> list[str]:
        """(champion right, challenger right) of one request each; returns the texts."""
        ids = self.served([said(n, a) for n, (a, _) in enumerate(outcomes)], prefix)
        rows = [
            {
                "id": shadow_answer_id(plan, identity),
                "prediction_id": identity,
                "experiment": plan.name,
                "phase": plan.phase,
                "model_version": plan.version,
                "manifest_digest": plan.manifest_digest,
                "answered_at": NOW.isoformat(),
                "probabilities": said(n, b),
                "latency_ms": 1.0,
                "made_by": "serving",
                **columns,
            }
            for n, (identity, (_, b)) in enumerate(zip(ids, outcomes, strict=True))
        ]
        with self.engine.begin() as connection:
            assert insert_new(connection, shadow_answers=rows) == len(rows)
        return [f"{prefix} {n}" for n in range(len(ids))]

    def label(self, texts: Sequence[str], **how: Any) -> None:
        """What a person says of these texts, arriving one after the other; said again, it changes."""
        write_words(self.engine, texts, articles=self.articles, **how)

    def evaluate(self) -> Evaluated:
        evaluated = evaluate_running(self.engine, run_id="run")
        assert evaluated is not None
        return evaluated

    def evaluations(self) -> list[tuple[str, str]]:
        """(id, verdict) of everything that was stored, oldest first."""
        with self.engine.connect() as connection:
            query = text("SELECT id, verdict FROM platform.experiments WHERE kind <> 'offline' ORDER BY created_at, id")
            return [tuple(row) for row in connection.execute(query)]
