"""The transformer family `finbert`: fine-tuned from TRANSFORMER_BASE, served as an int8 ONNX graph.

Only the three steps of the protocol; each is one call into the file that knows it. Training code is imported when it is asked for,
so that serving can import this module.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_platform.models.family import ExportReport, ProgressSink, TrainingData, TrainingOptions, TrainingWorld
from sentiment_platform.models.transformer.runtime import FILES

if TYPE_CHECKING:
    from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer


@dataclass(frozen=True)
class TransformerFamily:
    """Implements `Family`. `base` is the value of TRANSFORMER_BASE (hub id, directory or `packaged:...`).

    Without a `world` a run leaves no checkpoint, knows no champion, and shares no search.
    """

    base: str
    world: TrainingWorld = field(default_factory=TrainingWorld)
    name: str = "finbert"
    files: tuple[str, ...] = FILES

    def inputs(self) -> Mapping[str, str]:
        """The base model and the digest of its weights."""
        from sentiment_platform.models.transformer.training.base import resolve_base

        base = resolve_base(self.base, self.world.bases)
        return {"base": base.name, "digest": base.digest}

    def train(self, data: TrainingData, options: TrainingOptions, progress: ProgressSink) -> "TrainedTransformer":
        """Fine-tune as the parameters say: search first, start from base or champion; `training.recipe` has the errors."""
        from sentiment_platform.models.transformer.training.base import resolve_base
        from sentiment_platform.models.transformer.training.recipe import train_by_recipe

        return train_by_recipe(resolve_base(self.base, self.world.bases), data, options, progress, self.world)

    def export(self, trained: "TrainedTransformer", data: TrainingData, directory: Path, progress: ProgressSink) -> ExportReport:
        """Write `files`, and the weights for later training, into the empty `directory`; a failed parity check is a `ParityError`."""
        from sentiment_platform.models.transformer.export import export_transformer
        from sentiment_platform.models.transformer.training.weights import WEIGHTS_FILE, write_weights

        report = export_transformer(trained, data, directory, progress)
        write_weights(trained.network, directory / WEIGHTS_FILE)
        figures = {
            **report.figures,
            "lineage": dict(trained.lineage),
            "search": dict(trained.search),
            "distillation": dict(trained.distillation),
        }
        return replace(report, figures=figures, training_files=(WEIGHTS_FILE,))


def transformer_family(world: TrainingWorld) -> TransformerFamily:
    """The family with the base that its world names."""
    return TransformerFamily(world.transformer_base, world)
