"""The table of families, and the only place that lists them. The graph, the jobs, evaluation and serving are made by going through it.

Adding a family is a module with a `Family` and one entry here; a package of its own may put its entry into `FAMILIES` before
`definitions` or serving is imported. An entry is plain data and import strings, so that reading the table loads no family.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import Family, TrainingWorld
from sentiment_platform.models.reading import TextReader
from sentiment_platform.registry.versions import FAMILY_PATTERN

LEARNING_CHECK = "sentiment_platform.models.versions.checks:learning_check"
RELEASE_CHECK = "sentiment_platform.models.versions.checks:release_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyEntry:
    """What the platform knows of a family; import strings are `module:attribute`.

    Attributes:
        description: what it is, in a sentence or two; the text of its model asset in the Dagster UI.
        loader: function (directory, threads) -> Model. The one way to read a version: after training, for evaluation, in serving.
        trainer: function (world) -> Family.
        cost: relative cost of one prediction; the cheapest family is what an overloaded process degrades to, and what `baseline_job`
            trains.
        checks: functions (family) -> check of the asset `<family>_model`. That its evaluation is complete is checked for each family.
        recurring: parameters with which `train_job` trains it, where they differ from the family's own defaults.
        for_folds: parameters with which it is trained again for each fold of a k-fold (`evaluation.folds`); None where that takes too
            long, and its head alone is fitted again.
        starter: function () -> Starter; "" where the platform ships none.
        script: `package:file` of a script that answers with a version's files where this platform is not; "" where there is none.
    """

    description: str
    loader: str
    trainer: str
    cost: int
    checks: tuple[str, ...] = (RELEASE_CHECK,)
    recurring: Mapping[str, Any] = field(default_factory=dict[str, Any])
    for_folds: Mapping[str, Any] | None = None
    starter: str = ""
    script: str = ""


class Starter(Protocol):
    """How a family's starter is packed into the platform's own package, and unpacked again where nothing was trained yet."""

    base: str
    """Value of TRANSFORMER_BASE that it was made from, "" where there is none; it stays this one whatever a platform trains from."""
    parameters: Mapping[str, Any]
    """The family's own, for the training of the starter."""
    training_files: tuple[str, ...]
    """Files that `unpack` writes beside those of the family: what later training goes on from."""

    def condense(self, trained: Any, package: Path) -> Any:
        """Write what training changed into the folder `package`; returns the trained state that `unpack` will restore, for the export."""
        ...

    def pack(self, exported: Path, package: Path) -> None:
        """Take from the files of the `exported` version what `package` lacks."""
        ...

    def unpack(self, package: Path, directory: Path) -> None:
        """Write the files of a version into `directory`, without training libraries: the same bytes on every machine.

        Raises:
            PermanentError: what it is made from is not installed.
        """
        ...


FAMILIES: dict[str, FamilyEntry] = {
    "vader": FamilyEntry(
        description=(
            "Words and rules: VADER's lexicon with the terms that financial news taught it, rule constants found by search, "
            "a calibration head. Fast, and readable as a table."
        ),
        loader="sentiment_platform.models.vader.family:load_vader",
        trainer="sentiment_platform.models.vader.training:vader_family",
        cost=1,
        checks=(LEARNING_CHECK,),
        # A search in each fold would take five times as long as the training; the rules stay those of the stock.
        for_folds={"trials": 0},
        starter="sentiment_platform.models.vader.starter:VaderStarter",
    ),
    "finbert": FamilyEntry(
        description=(
            "A language model: a pretrained encoder that labelled financial news has fine-tuned, as an int8 ONNX graph, "
            "with a calibration head."
        ),
        loader="sentiment_platform.models.transformer.runtime:load_transformer",
        trainer="sentiment_platform.models.transformer.family:transformer_family",
        cost=100,
        checks=(RELEASE_CHECK,),
        recurring={"start": "champion"},
        starter="sentiment_platform.models.transformer.starter:TransformerStarter",
        script="sentiment_platform.models.transformer:answer_elsewhere.txt",
    ),
}


def model_asset_name(family: str) -> str:
    """The asset that trains and publishes a version of `family`."""
    return f"{family}_model"


def evaluation_asset_name(family: str) -> str:
    """The asset that measures the newest version of `family` on the holdout."""
    return f"{family}_evaluation"


def cheapest_family() -> str:
    """The family whose predictions cost least."""
    return min(FAMILIES, key=lambda family: FAMILIES[family].cost)


def load_model(family: str, directory: Path, *, threads: int = 1) -> TextReader:
    """Load an already verified version of `family`, ready for texts of any length.

    Raises:
        PermanentError: the family is unknown, or the directory does not hold one of its models.
    """
    return TextReader(resolve(_entry(family).loader)(directory, threads=threads))


def loader_of(family: str) -> str:
    """The import string of what reads a version of `family`, for a process of its own."""
    return _entry(family).loader


def trainer(family: str, world: TrainingWorld) -> Family:
    """The training side of `family`, in the world that it trains in."""
    return resolve(_entry(family).trainer)(world)


def starter_of(family: str) -> Starter | None:
    """How the starter of `family` is packed; None where the platform ships none."""
    reference = _entry(family).starter
    return resolve(reference)() if reference else None


def resolve(reference: str) -> Any:
    """What an import string of an entry names."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


def _entry(family: str) -> FamilyEntry:
    if not re.fullmatch(FAMILY_PATTERN, family):
        # Before it is trained: no version of it could be published.
        raise PermanentError(
            f"{family!r} cannot name a family.", remedy="Use 1 to 30 lower-case letters; names of versions end in it."
        )
    try:
        return FAMILIES[family]
    except KeyError:
        raise PermanentError(f"Model family {family!r} is unknown.", remedy=f"This build knows {', '.join(FAMILIES)}.") from None
