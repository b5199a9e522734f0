"""Going on from the deployed version instead of starting again: what is new, a sample of what it knows, and a check of what it forgot.

Where that is impossible, not shorter, or forgets too much, training starts from the base and the lineage says why.
"""

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import EarlierVersions, Integers, ProgressSink, TrainingData, TrainingOptions
from sentiment_platform.models.transformer.training.base import ResolvedBase
from sentiment_platform.models.transformer.training.canaries import verified_network
from sentiment_platform.models.transformer.training.distillation import train_distilled
from sentiment_platform.models.transformer.training.fine_tuning import Initial, TrainedTransformer, planned, train_transformer
from sentiment_platform.models.transformer.training.loop import MonotonicClock
from sentiment_platform.models.transformer.training.network import tokenizer_json
from sentiment_platform.models.transformer.training.parameters import TransformerParameters, transformer_parameters
from sentiment_platform.models.transformer.training.stages import taken
from sentiment_platform.models.transformer.training.weights import WEIGHTS_FILE, network_logits, read_weights
from sentiment_platform.registry.documents import decode, digest
from sentiment_platform.registry.manifest import MANIFEST, Manifest
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.statistics.metrics import confusion_matrix, ratios

if TYPE_CHECKING:
    import torch

EPOCHS = 2
RATE_SHARE = 0.5
"""Peak rate as a share of that of full training: the weights are near a good place already."""
MAX_FORGETTING_POINTS = 2.0
"""Percentage points of macro-F1 on the champion's own test part."""


@dataclass(frozen=True)
class ChampionState:
    """The deployed version: its manifest and digest, its weights, and the training set that it was made from (None: a starter's)."""

    manifest: Manifest
    manifest_digest: str
    weights: "Mapping[str, torch.Tensor]"
    seen: TrainingData | None


def champion_state(earlier: EarlierVersions, directory: Path, work: Path | None = None) -> ChampionState:
    """The champion whose verified files lie in `directory`, with its weights fetched from its release.

    Args:
        work: folder for the weights until they are read; None: the system's temporary folder.

    Raises:
        PermanentError: its release holds no weights, or its training set is no longer stored.
    """
    content = (directory / MANIFEST).read_bytes()
    manifest = decode(content, Manifest)
    seen = earlier.training_set(manifest.training_set)
    with TemporaryDirectory(prefix="champion-", dir=work) as folder:
        try:
            path = earlier.training_file(manifest.version, digest(content), WEIGHTS_FILE, Path(folder))
        except Refused as refused:
            raise PermanentError(f"{manifest.version} gives no weights: {refused.message}", remedy=refused.remedy) from refused
        return ChampionState(manifest, digest(content), read_weights(path), seen)


def train_on(
    base: ResolvedBase,
    data: TrainingData,
    options: TrainingOptions,
    progress: ProgressSink,
    champion: ChampionState | str,
    *,
    checkpoints: Path | None = None,
    clock: MonotonicClock = time.monotonic,
) -> TrainedTransformer:
    """Train from the champion where that is sound, else from the base; `lineage` of the result says which, and why.

    Args:
        champion: or the reason why there is none.

    Raises:
        PermanentError: as `train_transformer`.
    """
    parameters = transformer_parameters(options.parameters)
    lineage: dict[str, Any] = {}
    if isinstance(champion, str):
        reason = champion
    else:
        attempt, reason = _attempt(base, data, options, parameters, progress, champion, checkpoints, clock)
        if attempt and not reason:
            return attempt
        lineage = {"rejected": dict(attempt.lineage)} if attempt else {}
    full = train_distilled(base, data, options, progress, checkpoints=checkpoints, clock=clock)
    return dataclasses.replace(full, lineage={"start": "base", "note": reason, **lineage})


def new_rows(data: TrainingData, seen: TrainingData | None) -> Integers:
    """Indices of the training texts that `seen` did not train on, or trained on with another label; all where nobody knows (None)."""
    if seen is None:
        return np.arange(len(data.train))
    known = dict(zip(seen.train.ids, seen.train.labels.tolist(), strict=True))
    pairs = zip(data.train.ids, data.train.labels.tolist(), strict=True)
    return np.flatnonzero([known.get(key) != label for key, label in pairs]).astype(np.int64)


def replay_rows(data: TrainingData, new: Integers, share: float, seed: int) -> Integers:
    """Indices of known training texts, `share` times as many as are new, each class by its own share of them."""
    generator = np.random.default_rng(seed)
    known = np.setdiff1d(np.arange(len(data.train)), new)
    wanted = min(round(share * len(new)), len(known))
    chosen: list[Integers] = []
    for label in np.unique(data.train.labels[known]):
        of_class = known[data.train.labels[known] == label]
        chosen.append(generator.permutation(of_class)[: round(wanted * len(of_class) / len(known))])
    return np.sort(np.concatenate([*chosen, np.zeros(0, dtype=np.int64)]))


def _attempt(
    base: ResolvedBase,
    data: TrainingData,
    options: TrainingOptions,
    parameters: TransformerParameters,
    progress: ProgressSink,
    champion: ChampionState,
    checkpoints: Path | None,
    clock: MonotonicClock,
) -> tuple[TrainedTransformer | None, str]:
    """The incremental run, if there was one, and why it is not to be used ("" when it is)."""
    manifest = champion.manifest
    if manifest.base_digest != base.digest:
        return None, f"{manifest.version} was made from another base ({manifest.base_model})"
    new = new_rows(data, champion.seen)
    if not len(new):
        return None, f"no training text is new to {manifest.version}"
    replayed = replay_rows(data, new, parameters.replay_share, options.seed)
    part = dataclasses.replace(data, train=taken(data.train, np.sort(np.concatenate([new, replayed]))))
    full, full_steps = planned(parameters, base, data.train)
    present = set(part.train.label_sets)
    shorter = dataclasses.replace(
        full,
        epochs=EPOCHS,
        learning_rate=full.learning_rate * RATE_SHARE,
        target_sets=(),
        set_weights={name: weight for name, weight in full.set_weights.items() if name in present},
    )
    _, steps = planned(shorter, base, part.train)
    if steps >= full_steps:
        return None, f"{len(new)} new texts take as many steps as full training ({steps} against {full_steps})"
    initial = Initial(champion.manifest_digest, champion.weights)
    shorter_options = dataclasses.replace(options, parameters=dataclasses.asdict(shorter))
    trained = train_transformer(base, part, shorter_options, progress, initial=initial, checkpoints=checkpoints, clock=clock)
    forgetting = _forgetting(base, trained, data, champion)
    lineage = {
        "start": "champion",
        "from_version": manifest.version,
        "from_manifest": champion.manifest_digest,
        "new_texts": len(new),
        "replayed_texts": len(replayed),
        "steps": trained.steps,
        "steps_of_full_training": full_steps,
        "forgetting": forgetting,
    }
    points = forgetting["points"]
    reason = "" if points <= MAX_FORGETTING_POINTS else f"going on from {manifest.version} forgot {points:.1f} points of macro-F1"
    return dataclasses.replace(trained, lineage=lineage), reason


def _forgetting(base: ResolvedBase, trained: TrainedTransformer, data: TrainingData, champion: ChampionState) -> dict[str, Any]:
    """Macro-F1 before and after on the champion's test part, less what is trained on by now."""
    if champion.seen is None:
        return _not_measured("the champion is a starter, whose texts are not here")
    trained_on = set(data.train.ids)
    old = champion.seen.test
    rows = np.flatnonzero([key not in trained_on for key in old.ids])
    if not len(rows):
        return _not_measured("every text of the old test part is trained on now")
    texts, labels = [old.texts[int(row)] for row in rows], old.labels[rows]
    before_network, _ = verified_network(base.path, trained.parameters.pooling)
    before_network.load_state_dict(dict(champion.weights))

    def macro_f1(network: Any) -> float:
        logits = network_logits(network, tokenizer_json(base.path), trained.parameters.max_length, texts)
        return float(ratios(confusion_matrix(labels, logits.argmax(axis=1)).astype(np.float64)).macro_f1)

    before, after = macro_f1(before_network), macro_f1(trained.network)
    return {
        "n": len(rows),
        "before": before,
        "after": after,
        "points": 100.0 * (before - after),
        "limit": MAX_FORGETTING_POINTS,
    }


def _not_measured(note: str) -> dict[str, Any]:
    return {"n": 0, "points": 0.0, "limit": MAX_FORGETTING_POINTS, "note": note}
