"""Make the starters that the platform ships, from two published label sets: a developer's command, `make starters`.

SEntFiN and Twitter Financial News, both MIT: weights are shipped and never a sentence. Financial PhraseBank, where it is there, is only
measured on: no starter has seen it. The same files, seed and number of threads give the same starters on the same machine.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.clock import utc_now
from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.weighing import compare_all
from sentiment_platform.features.schema import DEFAULT_SCHEMA
from sentiment_platform.labels.importers import phrasebank, sentfin, tfns
from sentiment_platform.labels.licences import commercial_use, licence_note
from sentiment_platform.labels.report import ImportReport
from sentiment_platform.labels.training_set import build
from sentiment_platform.models.evaluation import seen_data
from sentiment_platform.models.evaluation.evaluation import Evaluation, evaluate, measures
from sentiment_platform.models.evaluation.seen_data import STARTER, StarterData, hash_file
from sentiment_platform.models.families import FAMILIES, Starter, load_model, starter_of, trainer
from sentiment_platform.models.family import (
    Family,
    Floats,
    LabelledTexts,
    Model,
    ProgressSink,
    TrainingData,
    TrainingOptions,
    TrainingWorld,
)
from sentiment_platform.models.pages.reporting import log_progress
from sentiment_platform.models.training_data import to_training_data
from sentiment_platform.models.versions.description import described, figures_of, file_entry
from sentiment_platform.models.versions.training_inputs import inputs_digest
from sentiment_platform.registry.documents import canonical_json
from sentiment_platform.registry.manifest import MANIFEST, Manifest, Metric
from sentiment_platform.starters.packaged import COMPARISONS, packaged_folder
from sentiment_platform.statistics.estimate import ACCURACY, MACRO_F1, with_interval
from sentiment_platform.store.labels import StoredLabel
from sentiment_platform.text.normalise import text_hash

SEED = 20260101
THREADS = 2
LEARNED_FROM = {"sentfin": ("sentfin/SEntFiN.csv", sentfin), "tfns": ("tfns/tfns_train_9543.csv", tfns)}
NEVER_SEEN = ("phrasebank/Sentences_50Agree.txt", phrasebank)


@dataclass(frozen=True, kw_only=True)
class Material:
    """What starters learn from, and what they are measured on beside its test part: name -> texts."""

    reports: Sequence[ImportReport]
    data: TrainingData
    measured_on: dict[str, LabelledTexts]

    def licences(self) -> list[str]:
        """A line for each set that is learned from."""
        return [licence_note(r.label_set, r.licence, commercial_use(r.licence)) for r in self.reports]

    def origin(self) -> dict[str, Any]:
        """For the manifest: which starter data this is, and the files that it was read from."""
        data = StarterData(training_set=self.data.digest, label_sets=tuple(LEARNED_FROM))
        files = {r.label_set: {"file": r.file_name, "sha256": r.file_digest, "texts": len(r.examples)} for r in self.reports}
        return {STARTER: msgspec.to_builtins(data), "starter_files": files}


def make_starters(material: Material, package: Path, *, seed: int, threads: int, progress: ProgressSink, now: datetime) -> None:
    """Train and pack the starter of each family into `package`, measure them unpacked, and compare all of them."""
    hashes = Path(seen_data.__file__).parent / seen_data.HASH_FILE
    hashes.write_bytes(hash_file(material.data.digest, material.data.train, material.data.validation))
    answers: dict[str, Floats] = {}
    for family in sorted(FAMILIES, key=lambda name: FAMILIES[name].cost):
        starter = starter_of(family)
        if starter is None:
            continue
        folder = package / family
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        options = TrainingOptions(seed=seed, threads=threads, parameters=starter.parameters)
        made = trainer(family, TrainingWorld(transformer_base=starter.base))
        manifest, evaluation = _make(made, starter, material, options, folder, progress, now)
        (folder / MANIFEST).write_bytes(canonical_json(manifest))
        answers[manifest.version] = evaluation.probabilities
    compared = compare_all(material.data.digest, material.data.test.labels, answers)
    (package / COMPARISONS).write_bytes(msgspec.json.format(msgspec.json.encode(compared), indent=1) + b"\n")


def read_material(folder: Path) -> Material:
    """Read the label sets below `folder`, and split them by the platform's own rule.

    Raises:
        PermanentError: a file is missing, or not what it should be.
    """
    reports = [reader(_file(folder, name)) for name, reader in LEARNED_FROM.values()]
    data = _split(reports)
    measured_on = {name: _of_set(data.test, name) for name in LEARNED_FROM}
    name, reader = NEVER_SEEN
    if (folder / name).is_file():
        measured_on["phrasebank"] = _split([reader(folder / name)]).test
    return Material(reports=reports, data=data, measured_on=measured_on)


def _make(
    family: Family,
    starter: Starter,
    material: Material,
    options: TrainingOptions,
    folder: Path,
    progress: ProgressSink,
    now: datetime,
) -> tuple[Manifest, Evaluation]:
    data = material.data
    trained = starter.condense(family.train(data, options, progress), folder)
    with TemporaryDirectory(prefix="starter-") as work:
        exported, unpacked = Path(work) / "exported", Path(work) / "unpacked"
        exported.mkdir()
        unpacked.mkdir()
        report = family.export(trained, data, exported, progress)
        starter.pack(exported, folder)
        starter.unpack(folder, unpacked)
        model = load_model(family.name, unpacked)
        _require_same_answers(load_model(family.name, exported), model, data.test)
        evaluation = evaluate(model, data.test)
        digest = inputs_digest(family.inputs(), options, data, None)
        figures = figures_of(report, evaluation, options, digest) | material.origin()
        manifest = described(family, model, data, unpacked, report, material.licences(), evaluation, figures, now)
        metrics = {f"{MACRO_F1}_{name}": _metric(evaluate(model, texts), name) for name, texts in material.measured_on.items()}
        return msgspec.structs.replace(
            manifest,
            metrics={**manifest.metrics, **metrics},
            training_files={name: file_entry(unpacked / name) for name in starter.training_files} or msgspec.UNSET,
            # What a model costs is measured where it was made. Whoever unpacks it has another machine.
            figures={name: value for name, value in manifest.figures.items() if name != "technical"},
        ), evaluation


def _require_same_answers(exported: Model, unpacked: Model, texts: LabelledTexts) -> None:
    if not np.array_equal(exported.logits(texts.texts[:200]), unpacked.logits(texts.texts[:200])):
        raise PermanentError("The starter does not answer like what was exported.", remedy="Look at how it is packed.")


def _metric(evaluation: Evaluation, name: str) -> Metric:
    macro_f1 = measures(evaluation)[MACRO_F1]
    where = f"{name}, test part" + ("" if name in LEARNED_FROM else " (a set that it has not seen)")
    return Metric(value=macro_f1.value, low=macro_f1.low, high=macro_f1.high, n=macro_f1.n, dataset=where)


def _split(reports: Sequence[ImportReport]) -> TrainingData:
    labels = [
        StoredLabel(
            id=f"{report.label_set}-{number:06d}",
            label_set=example.label_set,
            text=example.text,
            text_hash=text_hash(example.text),
            label=example.label,
            weight=example.weight,
            article_id=None,
            story_id=None,
            available_at=None,
            annotator=example.annotator,
            kind=example.kind,
        )
        for report in reports
        for number, example in enumerate(report.examples)
    ]
    snapshot = build(labels, {}, DEFAULT_SCHEMA)
    return to_training_data(snapshot.digest, snapshot.feature_schema, snapshot.examples)


def _of_set(texts: LabelledTexts, name: str) -> LabelledTexts:
    rows = [row for row, label_set in enumerate(texts.label_sets) if label_set == name]
    return LabelledTexts(
        ids=[texts.ids[row] for row in rows],
        texts=[texts.texts[row] for row in rows],
        labels=texts.labels[rows],
        features=texts.features[rows],
        label_sets=[name] * len(rows),
    )


def _file(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise PermanentError(f"{folder / name} is missing.", remedy="Give the folder with the published label sets.")
    return folder / name


def main(arguments: Sequence[str]) -> None:
    """Make them in place, from the folder that the first argument names."""
    parser = argparse.ArgumentParser(description="Make the starters that the platform ships.")
    parser.add_argument("data", type=Path, help="folder with sentfin/, tfns/ and, to measure on, phrasebank/")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--threads", type=int, default=THREADS)
    asked = parser.parse_args(arguments)
    package = packaged_folder()
    sink = log_progress(lambda line: print(line, flush=True))
    make_starters(read_material(asked.data), package, seed=asked.seed, threads=asked.threads, progress=sink, now=utc_now())
    for path in sorted(package.glob(f"*/{MANIFEST}")):
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        for name, metric in manifest.metrics.items():
            if name.startswith((MACRO_F1, ACCURACY)):
                print(f"{manifest.version}: {name} {with_interval(metric, '.3f')}, n = {metric.n}, {metric.dataset}")
    print(f"{sum(path.stat().st_size for path in package.rglob('*') if path.is_file()) / 1e6:.2f} MB in {package}")


if __name__ == "__main__":
    main(sys.argv[1:])
