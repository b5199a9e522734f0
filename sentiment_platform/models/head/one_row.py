"""The calibration head for one row, without arrays: for so few numbers they cost more than the arithmetic.

`CalibrationHead.probabilities` says the same of many rows; a test holds one against the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite

from sentiment_platform.errors import PermanentError

LARGEST_STANDARDISED = 3.0
"""A text far longer than any in training must not decide the answer by its length alone."""
Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class OneRow:
    """A head's numbers as plain lists.

    Attributes:
        mean, scale: of the k features; empty where the head uses none.
        weights: a row for each of the three logits and each feature. Three numbers where no feature is used; otherwise three that
            hold always, and three that are taken times the share of missing features.
        bias: as many numbers.
    """

    mean: list[float]
    scale: list[float]
    weights: list[list[float]]
    bias: list[float]

    def probabilities(self, logits: Three, features: Sequence[float | None]) -> Three:
        """Three probabilities; of the features, None is a missing one.

        Raises:
            PermanentError: logits or features that are not finite, or another number of features.
        """
        if not all(map(isfinite, logits)):
            raise PermanentError("Logits hold NaN or infinite values.", remedy="Check the scorer's output.")
        k = len(self.mean)
        if not k:
            a, b, c = self.bias
            for value, (x, y, z) in zip(logits, self.weights, strict=True):
                a, b, c = a + value * x, b + value * y, c + value * z
            return softmax_of_one(a, b, c)
        if len(features) != k:
            raise PermanentError(f"There are {len(features)} features, expected {k}.", remedy="Use the model's feature schema.")
        missing = 0
        a, b, c, d, e, f = self.bias
        most, least, weights = LARGEST_STANDARDISED, -LARGEST_STANDARDISED, self.weights
        for value, (u, v, w, x, y, z) in zip(logits, weights[:3], strict=True):
            a, b, c = a + value * u, b + value * v, c + value * w
            d, e, f = d + value * x, e + value * y, f + value * z
        for given, mean, scale, (u, v, w, x, y, z) in zip(features, self.mean, self.scale, weights[3:], strict=True):
            if given is None:
                missing += 1
                continue
            value = (given - mean) / scale
            if not least <= value <= most:
                if not isfinite(value):
                    raise PermanentError("Features hold infinite values.", remedy="Use None for a missing feature.")
                value = most if value > 0 else least
            a, b, c = a + value * u, b + value * v, c + value * w
            d, e, f = d + value * x, e + value * y, f + value * z
        share = missing / k
        return softmax_of_one(a + share * d, b + share * e, c + share * f)


def softmax_of_one(a: float, b: float, c: float) -> Three:
    """Probabilities of three scores, shifted by the largest so that nothing overflows."""
    top = max(a, b, c)
    a, b, c = exp(a - top), exp(b - top), exp(c - top)
    total = a + b + c
    return a / total, b / total, c / total
