"""What the manifest says of a trained version: its files, figures, golden answers, licences and the commit it comes from."""

import os
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.features.schema import schema
from sentiment_platform.models.evaluation.baselines import measure_baselines
from sentiment_platform.models.evaluation.contrast_suite import score_contrast
from sentiment_platform.models.evaluation.evaluation import Evaluation, measures
from sentiment_platform.models.evaluation.golden import golden_answers
from sentiment_platform.models.evaluation.seen_data import in_sample
from sentiment_platform.models.evaluation.technical import measure_technical
from sentiment_platform.models.families import loader_of
from sentiment_platform.models.family import LABELS, ExportReport, Family, Model, TrainingData, TrainingOptions
from sentiment_platform.models.version_figures import PartFigures
from sentiment_platform.registry.manifest import FeatureSchema, FileEntry, Golden, Manifest, Metric
from sentiment_platform.statistics.calibration import ece_when_calibrated
from sentiment_platform.statistics.estimate import ECE


def described(
    family: Family,
    model: Model,
    data: TrainingData,
    directory: Path,
    exported: ExportReport,
    licences: Sequence[str],
    evaluation: Evaluation,
    figures: Mapping[str, Any],
    now: datetime,
) -> Manifest:
    """The manifest of the artefact in `directory`, which `model` was loaded from; its version number is still to be given.

    Args:
        licences: a line for each label set.
    """
    seen = in_sample(exported.base_model, figures, data.test.ids, data.test.label_sets)
    return Manifest(
        family=family.name,
        version=f"v1.0.0-{family.name}",
        files={name: file_entry(directory / name) for name in family.files},
        training_files={name: file_entry(directory / name) for name in exported.training_files} or msgspec.UNSET,
        labels=LABELS,
        feature_schema=FeatureSchema(data.feature_schema, schema(data.feature_schema).hash, data.feature_names),
        base_model=exported.base_model,
        base_digest=exported.base_digest,
        training_set=data.digest,
        metrics=metrics_of(evaluation, data, in_sample=seen),
        golden=tuple(Golden(text, probabilities) for text, probabilities in golden_answers(model)),
        licences=(*exported.licences, *licences) or ("unstated",),
        git_sha=git_sha(),
        created_at=now,
        figures={
            **figures,
            "in_sample": seen,
            "data": {name: msgspec.to_builtins(part) for name, part in described_data(data).items()},
            "baselines": {name: msgspec.to_builtins(one) for name, one in measure_baselines(data).items()},
            "contrast": msgspec.to_builtins(score_contrast(model)),
            "technical": msgspec.to_builtins(measure_technical(loader_of(family.name), directory, data.test.texts)),
        },
    )


def described_data(data: TrainingData) -> dict[str, PartFigures]:
    """Part -> what it holds."""
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    return {
        name: PartFigures(
            texts=len(part),
            stories=len(set(part.stories)) or len(part),
            labels={label: int((part.labels == index).sum()) for index, label in enumerate(LABELS)},
            sets=dict(sorted(Counter(part.label_sets).items())),
            days=(part.days[0].isoformat(), part.days[1].isoformat()) if part.days else None,
        )
        for name, part in parts.items()
    }


def metrics_of(evaluation: Evaluation, data: TrainingData, *, in_sample: bool) -> dict[str, Metric]:
    """Holdout figures for the manifest. No fitting step saw the test part; `in_sample` where its base or its starter did."""
    dataset = f"training set {data.digest[:12]}, test part"
    named = measures(evaluation)
    return {
        name: Metric(value=e.value, low=e.low, high=e.high, n=e.n, dataset=dataset, in_sample=in_sample)
        for name, e in named.items()
    }


def git_sha() -> str:
    """The commit this code comes from: what Actions says, else what git says, else `unknown`."""
    if sha := os.environ.get("GITHUB_SHA"):
        return sha
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip() or "unknown"


def figures_of(exported: ExportReport, evaluation: Evaluation, options: TrainingOptions, options_digest: str) -> dict[str, Any]:
    """What the family exported, how it is calibrated on the test part, and what it was made with."""
    figures: Mapping[str, Any] = {
        **exported.figures,
        ECE: evaluation.calibration.ece,
        "ece_when_calibrated": float(np.quantile(ece_when_calibrated(evaluation.probabilities, seed=options.seed), 0.95)),
        "reliability": msgspec.to_builtins([row for row in evaluation.calibration.bins if row.count]),
        "confusion": [list(row) for row in evaluation.report.confusion],
        "seed": options.seed,
        "parameters": dict(options.parameters),
        "options_digest": options_digest,
    }
    return dict(figures)


def file_entry(path: Path) -> FileEntry:
    """Digest and size of a file as it lies there."""
    content = path.read_bytes()
    return FileEntry(sha256(content).hexdigest(), len(content))
