"""The VADER family as it answers: the rule engine, fitted thresholds as logits, and the calibration head.

Two readable JSON files: `vader.json` (deltas to the stock lexicon, rule constants that differ, thresholds) and `head.json`.
How they are fitted is `vader_training`; the rules are `text.vader`. Light: serving imports this.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import Contribution, Floats
from sentiment_platform.models.head import CalibrationHead
from sentiment_platform.text.explanation import explain
from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.vader import VaderEngine

SCORER_FILE = "vader.json"
HEAD_FILE = "head.json"


class VaderScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is learned beside the head.

    Attributes:
        lexicon_deltas: term -> change of its stock valence; a term that the stock lexicon lacks starts at 0.
        negative_below, positive_above: compound scores between which a text is neutral; at `negative_below` itself it is negative, at
            `positive_above` itself still neutral.
        steepness: logits per unit of compound beyond a threshold.
    """

    negative_below: float
    positive_above: float
    steepness: float
    lexicon_deltas: dict[str, float] = {}

    def __post_init__(self) -> None:
        if not -1 <= self.negative_below <= self.positive_above <= 1 or not self.steepness > 0:
            raise ValueError("thresholds must satisfy -1 <= negative_below <= positive_above <= 1, steepness must be above 0")

    def logits(self, compound: Floats) -> Floats:
        """(n, 3) logits from (n,) compound scores; their largest entry is the label that the thresholds give."""
        return np.column_stack(
            [
                self.steepness * (self.negative_below - compound),
                np.zeros_like(compound),
                self.steepness * (compound - self.positive_above),
            ]
        )


@dataclass(frozen=True)
class VaderModel:
    """A loaded VADER version."""

    engine: VaderEngine
    scorer: VaderScorer
    head: CalibrationHead

    @property
    def batch_size(self) -> int:
        """One text is as cheap as any batch of them."""
        return 1

    def logits(self, texts: Sequence[str]) -> Floats:
        """(n, 3) logits of the thresholds alone."""
        score = self.engine.score
        return self.scorer.logits(np.array([score(text).compound for text in texts], dtype=np.float64))

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        """(n, 3) calibrated probabilities."""
        return self.head.probabilities(self.logits(texts), features)

    def explain(self, text: str) -> list[Contribution]:
        """One entry per word and rule, in units of valence; they sum to the score before its normalisation."""
        return [Contribution(part.token, part.valence, part.rule) for part in explain(self.engine, text).parts]


def load(directory: Path, *, threads: int = 1) -> VaderModel:
    """Read the two files of a verified directory; one thread is all it uses.

    Raises:
        PermanentError: a file is missing or is not what this family writes.
    """
    del threads
    try:
        scorer = msgspec.json.decode((directory / SCORER_FILE).read_bytes(), type=VaderScorer)
        head: Any = json.loads((directory / HEAD_FILE).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise PermanentError(f"{directory} holds no VADER model: {error}.", remedy="Publish the version again.") from error
    return VaderModel(VaderEngine(stock_lexicon().with_deltas(scorer.lexicon_deltas)), scorer, CalibrationHead.from_json(head))
