"""Sentences whose answers are recorded at export and asked again wherever the version is loaded, before it may answer anyone."""

from collections.abc import Sequence

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import Model

GOLDEN_TEXTS = (
    "Quarterly profit rose 24% and the board raised its dividend",
    "The company cut its full-year forecast after a sharp fall in orders",
    "Net loss narrowed as costs fell faster than revenue",
    "Shares slumped after regulators opened an investigation into the accounts",
    "The annual general meeting will be held on 14 May",
    "Revenue was in line with expectations and guidance is unchanged",
    "Analysts no longer expect the firm to miss its margin target",
    "Supplier wins a ten-year contract worth $1.2bn",
)
TOLERANCE = 0.02
"""Largest difference of a probability between two machines: int8 kernels differ a little between processors."""


def golden_answers(model: Model) -> list[tuple[str, tuple[float, float, float]]]:
    """(text, probabilities without features), each text asked alone."""
    answers = [(text, model.predict([text], None)[0]) for text in GOLDEN_TEXTS]
    return [(text, (float(row[0]), float(row[1]), float(row[2]))) for text, row in answers]


def require_golden(model: Model, recorded: Sequence[tuple[str, Sequence[float]]]) -> float:
    """Ask again; returns the largest difference found.

    Raises:
        PermanentError: nothing was recorded, an answer is not three finite probabilities, or differs by more than `TOLERANCE`.
    """
    if not recorded:
        raise PermanentError("No answers were recorded when the model was exported.", remedy="Train and publish it again.")
    largest = 0.0
    for text, expected in recorded:
        answer = model.predict([text], None)
        if answer.shape != (1, 3) or not np.isfinite(answer).all():
            raise PermanentError(
                f"The model does not answer {text!r} with three probabilities.", remedy="Train and publish it again."
            )
        difference = float(np.abs(answer[0] - np.asarray(expected)).max())
        largest = max(largest, difference)
        if difference > TOLERANCE:
            raise PermanentError(
                f"The model answers {text!r} with {np.round(answer[0], 3).tolist()}, recorded was {np.round(expected, 3).tolist()}.",
                remedy="It is not the model that was exported, or this machine computes it differently: do not deploy it.",
            )
    return largest
