"""A third family in this one file: from training to serving with one line in the table of families and no other change."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from sentiment_platform.experiments.holdout_comparison import compare_on_holdout, store_comparison
from sentiment_platform.models.evaluation.holdout import evaluate_family
from sentiment_platform.models.families import FAMILIES, FamilyEntry
from sentiment_platform.models.family import Contribution, ExportReport, Floats, ProgressSink, TrainingData, TrainingOptions
from sentiment_platform.models.head.head import CalibrationHead
from sentiment_platform.models.head.label_rule import fit_labelling_head
from sentiment_platform.models.versions.publishing import train_and_publish
from sentiment_platform.promotion.deciding import decide_and_publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.models.versions.vader_versions import label
from sentiment_platform_tests.serving.running import ServingProcess

ENTRY = FamilyEntry(f"{__name__}:load", f"{__name__}:BayesFamily", 5)
PROGRAM = f"from {__name__} import ENTRY, FAMILIES; FAMILIES['bayes'] = ENTRY; import serving; serving.run()"
FILES = ("words.json", "head.json")


@dataclass(frozen=True)
class Bayes:
    """Naive Bayes over words: `words` holds the log odds of the three labels for each."""

    words: Mapping[str, Sequence[float]]
    head: CalibrationHead | None = None
    batch_size = 64

    def logits(self, texts: Sequence[str]) -> Floats:
        odds = [[self.words.get(word, (0.0, 0.0, 0.0)) for word in text.lower().split()] for text in texts]
        return np.array([np.array(rows).reshape(-1, 3).sum(axis=0) for rows in odds]).reshape(-1, 3)

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        assert self.head is not None
        return self.head.probabilities(self.logits(texts), features)

    def explain(self, text: str) -> list[Contribution]:
        rows = zip(text.split(), self.logits(text.split()), strict=True)
        return [Contribution(word, float(row[2] - row[0]), "log_odds") for word, row in rows]


@dataclass(frozen=True)
class BayesFamily:
    settings: Settings | None = None
    name: str = "bayes"
    files: tuple[str, ...] = FILES

    def inputs(self) -> Mapping[str, str]:
        return {"rule": "bayes-1"}

    def train(self, data: TrainingData, options: TrainingOptions, progress: ProgressSink) -> Bayes:
        seen = zip(data.train.texts, data.train.labels, strict=True)
        counts = Counter((word, int(y)) for text, y in seen for word in text.lower().split())
        return Bayes({word: [math.log(1 + counts[word, y]) for y in range(3)] for word in sorted({word for word, _ in counts})})

    def export(self, trained: Bayes, data: TrainingData, directory: Path, progress: ProgressSink) -> ExportReport:
        part = data.validation
        head, _ = fit_labelling_head(trained.logits(part.texts), part, data.feature_names, data.feature_schema, seed=1)
        for name, document in zip(FILES, (trained.words, head.to_json()), strict=True):
            (directory / name).write_text(json.dumps(document), "utf-8")
        return ExportReport("none", "0" * 64, {"words": len(trained.words)}, ("CC0-1.0",))

    def load(self, directory: Path, *, threads: int = 1) -> Bayes:
        words, head = (json.loads((directory / name).read_text("utf-8")) for name in FILES)
        return Bayes(words, CalibrationHead.from_json(head))


load = BayesFamily().load


def test_a_third_family_goes_from_training_to_serving(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "bayes", ENTRY)
    engine, access, now = create_platform_engine(settings.database_url), RegistryAccess(settings), lambda: datetime.now(UTC)
    label(engine)
    made = train_and_publish(engine, access, "bayes", TrainingOptions(), run_id="r", now=now, progress=lambda _: None)
    evaluated = evaluate_family(engine, access, "bayes", now())
    assert evaluated.newest.evaluation.report.accuracy.value == made.manifest.metrics["accuracy"].value
    store_comparison(engine, compare_on_holdout(engine), run_id="r", made_at=now())
    assert decide_and_publish(engine, access, run_id="r", now=now).published
    serving = ServingProcess(settings, program=PROGRAM)
    try:
        answer = serving.start().predict("Profit rose strongly", explain=True)
        assert (answer["prediction"]["model_used"], answer["performance"]["model_version"]) == ("bayes", "v1.0.0-bayes")
        assert [part["rule"] for part in answer["contributions"]] == ["log_odds"] * 3
    finally:
        serving.stop()
        engine.dispose()
