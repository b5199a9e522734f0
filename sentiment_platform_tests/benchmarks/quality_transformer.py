"""Quality of the transformer on real sentences, fine-tuned from the packaged MiniLM encoder, measured as it is served (int8, with head).

The recipe was chosen on the validation part; the test part is asked once. A run takes some ten minutes on two idle cores and keeps
checkpoints, so that one that was stopped goes on.
"""

import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sentiment_platform.labels.importers import phrasebank
from sentiment_platform.models.evaluation import Evaluation, evaluate
from sentiment_platform.models.family import LabelledTexts, Model, Progress, TrainingData, TrainingOptions
from sentiment_platform.models.reporting import log_progress
from sentiment_platform.models.transformer import TransformerFamily
from sentiment_platform.models.transformer_base import PACKAGED_MINILM, resolve_base
from sentiment_platform.models.transformer_stages import taken
from sentiment_platform.models.transformer_training import TrainedTransformer, train_transformer
from sentiment_platform.statistics.resampling import Estimate
from sentiment_platform_tests.benchmarks.labelled_data import SPLIT, SetName, labelled, shared_data, training_data
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure

SEED = 1
ALL_SETS: tuple[SetName, ...] = ("phrasebank", "sentfin", "tfns")
OTHER_SETS: tuple[SetName, ...] = ("sentfin", "tfns")
IN_DOMAIN = {"epochs": 2, "learning_rate": 1e-4, "target_sets": ["phrasebank"], "target_epochs": 3, "averaging": 0.98}
OUT_OF_DOMAIN = {"epochs": 2, "learning_rate": 1e-4}
CHECKPOINTS = Path(tempfile.gettempdir()) / "sentiment-benchmark-checkpoints"


@dataclass(frozen=True)
class Run:
    """A trained and served model."""

    model: Model
    trained: TrainedTransformer
    data: TrainingData

    def evaluated(self, texts: LabelledTexts) -> Evaluation:
        return evaluate(self.model, texts)

    def document(self) -> dict[str, Any]:
        """What a reader needs to believe the figures."""
        best = self.trained.best
        return {
            "seed": SEED,
            "split": SPLIT,
            "base": self.trained.base.name,
            "trained_on": f"{len(self.data.train)} texts; epoch and head: {len(self.data.validation)} texts",
            "validation": [[epoch.stage, round(epoch.macro_f1, 4), round(epoch.log_loss, 4)] for epoch in self.trained.epochs],
            "kept_epoch": best.epoch,
            "seconds": round(self.trained.seconds),
            "sentences_per_s": round(self.trained.sentences_per_s, 1),
        }


@TABLE.row("Q.3", "MiniLM fine-tuned on the training parts of three sets, test part of PhraseBank 50Agree")
def in_domain() -> Iterator[Figure]:
    run = in_domain_run()
    found = run.evaluated(run.data.test)
    yield _figure("macro-F1", found, 0.845, run.document() | {"accuracy": _with_interval(found.report.accuracy)})
    yield Figure("calibration error (ECE)", found.calibration.ece, "", 0.05, len(run.data.test), explains={"row": "Q.5"})


@TABLE.row("Q.4", "the same model on the rows of that test part on which all annotators agreed")
def all_agree() -> Iterator[Figure]:
    run = in_domain_run()
    agreed = {e.text for e in phrasebank(shared_data() / "labelled" / "phrasebank" / "Sentences_AllAgree.txt").examples}
    rows = np.flatnonzero([text in agreed for text in run.data.test.texts])
    found = run.evaluated(taken(run.data.test, rows))
    yield _figure("macro-F1", found, 0.95, {"seed": SEED, "split": SPLIT, "accuracy": _with_interval(found.report.accuracy)})


@TABLE.row("Q.6", "out of domain: trained on SEntFiN and Twitter Financial News only, scored on PhraseBank")
def out_of_domain() -> Iterator[Figure]:
    run = _trained(OTHER_SETS, OTHER_SETS, OUT_OF_DOMAIN)
    # Reported, not bounded: neither figure may be read as the other, and they are never averaged.
    for where, texts in (
        ("out of domain: test part of PhraseBank 50Agree", labelled("test", ("phrasebank",))),
        ("in domain: test part of SEntFiN", labelled("test", ("sentfin",))),
        ("in domain: test part of Twitter Financial News", labelled("test", ("tfns",))),
    ):
        found = run.evaluated(texts)
        explains = run.document() | {"accuracy": _with_interval(found.report.accuracy), "ece": round(found.calibration.ece, 4)}
        yield _figure(f"{where}: macro-F1", found, 0.0, explains)


@cache
def in_domain_run() -> Run:
    """Trained on all sets, judged on PhraseBank; once a process."""
    return _trained(ALL_SETS, ("phrasebank",), IN_DOMAIN)


def _trained(sets: Collection[SetName], judged_on: Collection[SetName], parameters: dict[str, Any]) -> Run:
    """Train, export, load: the way a version goes. `judged_on`: sets whose validation part chooses the epoch and fits the head."""
    data = replace(training_data(sets, judged_on), validation=labelled("validation", judged_on))
    family, base = TransformerFamily(PACKAGED_MINILM), resolve_base(PACKAGED_MINILM)
    options = TrainingOptions(SEED, 0, parameters)
    trained = train_transformer(base, data, options, log_progress(_say, 60.0), checkpoints=CHECKPOINTS)
    with tempfile.TemporaryDirectory() as folder:
        family.export(trained, data, Path(folder), _silent)
        return Run(family.load(Path(folder), threads=0), trained, data)


def _say(line: str) -> None:
    import sys

    print(line, file=sys.stderr, flush=True)


def _silent(_: Progress) -> None:
    """The export takes seconds."""


def _figure(what: str, found: Evaluation, target: float, explains: dict[str, Any]) -> Figure:
    macro_f1 = found.report.macro_f1
    shown = {"interval": [round(macro_f1.low, 4), round(macro_f1.high, 4)], **explains}
    shown["f1"] = {row.label: round(row.f1.value, 4) for row in found.report.classes}
    return Figure(what, macro_f1.value, "", target, found.report.n, True, shown)


def _with_interval(estimate: Estimate) -> list[float]:
    return [round(value, 4) for value in (estimate.value, estimate.low, estimate.high)]
