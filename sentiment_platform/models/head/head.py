"""The calibration head: scorer logits and features in, believable probabilities out. The only consumer of the features.

Applying and storing a head, with numpy alone, because serving does it for every request; fitting one is `fitting`. What the
logits are belongs to the families, what the features are to `features`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.head.one_row import LARGEST_STANDARDISED, OneRow
from sentiment_platform.statistics.arrays import LABELS, N_CLASSES, Floats
from sentiment_platform.statistics.comparison import ProbabilityComparison
from sentiment_platform.statistics.softmax_regression import softmax


class Ablation(msgspec.Struct, frozen=True):
    """What the features add: held-out answers of the scorer alone (a) against those with features (b), over `n_folds` folds."""

    n_folds: int
    seed: int
    comparison: ProbabilityComparison

    @property
    def features_help(self) -> bool:
        """True when the whole interval of the log loss difference is an improvement; otherwise fit without features."""
        return self.comparison.log_loss_difference.high < 0.0


@dataclass(frozen=True, eq=False)
class HeadWeights:
    """One set of weights: on the logits (3, 3), on the standardised features (k, 3), and the bias (3,)."""

    logits: Floats
    features: Floats
    bias: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class CalibrationHead:
    """Multinomial logistic regression on a scorer's logits (n, 3) and k standardised features.

    Training rows usually have all features; requests often do not (no source, no time, store down). A missing feature counts as its
    mean, 0 after standardisation, but that alone leaves the answer badly calibrated, because the logits must then carry what the
    features no longer do. So the weights move with the share r of missing features, W(r) = weights + r * missing_shift, and both are
    fitted together: calibrated with everything, with nothing, and between.

    `uses_features` is False where the features were left out because they did not help or were not there; their weights are then 0
    and what a request brings for them changes nothing.

    Raises:
        PermanentError: shapes that do not fit together, NaN or infinite numbers, a scale that is not positive.
    """

    feature_schema: str
    feature_names: tuple[str, ...]
    mean: Floats
    scale: Floats
    weights: HeadWeights
    missing_shift: HeadWeights
    uses_features: bool
    l2: float
    ablation: Ablation | None = None

    def __post_init__(self) -> None:
        k = len(self.feature_names)
        require_finite("mean", self.mean, (k,))
        require_finite("scale", self.scale, (k,))
        if (self.scale <= 0.0).any():
            raise PermanentError("The head's scale is not positive.", remedy="Train the model again.")
        for part in (self.weights, self.missing_shift):
            require_finite("logit weights", part.logits, (N_CLASSES, N_CLASSES))
            require_finite("feature weights", part.features, (k, N_CLASSES))
            require_finite("bias", part.bias, (N_CLASSES,))

    def probabilities(self, logits: Floats, features: Floats | None = None) -> Floats:
        """Probabilities (n, 3) from logits (n, 3) and features (n, k); NaN is a missing feature, None means all are missing.

        Raises:
            PermanentError: other shapes, NaN or infinite logits, infinite features.
        """
        logits = np.asarray(logits, dtype=np.float64)
        if logits.ndim != 2 or logits.shape[1] != N_CLASSES:
            raise PermanentError(f"Logits have shape {logits.shape}.", remedy=f"Pass shape (n, {N_CLASSES}).")
        if not np.isfinite(logits).all():
            raise PermanentError("Logits hold NaN or infinite values.", remedy="Check the scorer's output.")
        if features is not None:
            features = np.asarray(features, dtype=np.float64)
            if features.shape != (logits.shape[0], len(self.feature_names)):
                raise PermanentError(
                    f"Features have shape {features.shape}, expected {(logits.shape[0], len(self.feature_names))}.",
                    remedy=f"Compute them with schema {self.feature_schema}.",
                )
        if features is None or not self.uses_features:
            weights, bias = self._without_features
            scores = logits @ weights + bias
        else:
            standardised, missing_share = standardise(features, self.mean, self.scale)
            weights, bias = self._side_by_side
            both = np.hstack([logits, standardised]) @ weights + bias
            scores = both[:, :N_CLASSES] + missing_share * both[:, N_CLASSES:]
        return softmax(scores)

    @cached_property
    def one_row(self) -> OneRow:
        """The same for one row at a time, without arrays."""
        weights, bias = self._side_by_side if self.uses_features else self._without_features
        k = len(self.feature_names) if self.uses_features else 0
        return OneRow(self.mean.tolist()[:k], self.scale.tolist()[:k], weights.tolist(), bias.tolist())

    @cached_property
    def _without_features(self) -> tuple[Floats, Floats]:
        return self.weights.logits + self.missing_shift.logits, self.weights.bias + self.missing_shift.bias

    @cached_property
    def _side_by_side(self) -> tuple[Floats, Floats]:
        parts = (self.weights, self.missing_shift)
        columns = [np.vstack([part.logits, part.features]) for part in parts]
        return np.hstack(columns), np.concatenate([part.bias for part in parts])

    def to_json(self) -> dict[str, Any]:
        """A readable document of plain numbers, strings, lists and dicts; `from_json` gives the same head back."""

        def readable(part: HeadWeights) -> _WeightsDocument:
            by_name = dict(zip(self.feature_names, part.features.tolist(), strict=True))
            return _WeightsDocument(logits=part.logits.tolist(), features=by_name, bias=part.bias.tolist())

        return msgspec.to_builtins(
            _HeadDocument(
                labels=list(LABELS),
                feature_schema=self.feature_schema,
                feature_names=list(self.feature_names),
                mean=self.mean.tolist(),
                scale=self.scale.tolist(),
                weights=readable(self.weights),
                missing_shift=readable(self.missing_shift),
                uses_features=self.uses_features,
                l2=self.l2,
                ablation=self.ablation,
            )
        )

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CalibrationHead:
        """The head of a document made by `to_json`.

        Raises:
            PermanentError: missing or unknown fields, other labels, wrong shapes, NaN or infinite numbers.
        """
        try:
            read = msgspec.convert(document, _HeadDocument)
        except msgspec.ValidationError as error:
            raise PermanentError(f"Not a calibration head: {error}.", remedy="Use a file this version wrote.") from None
        if read.labels != list(LABELS):
            raise PermanentError(f"The head's labels are {read.labels}.", remedy=f"They must be {list(LABELS)}.")
        names = tuple(read.feature_names)

        def weights(part: _WeightsDocument) -> HeadWeights:
            if set(part.features) != set(names) or len(set(names)) != len(names):
                raise PermanentError("The head's feature weights do not fit its names.", remedy="Train it again.")
            features = [part.features[name] for name in names]
            return HeadWeights(_array(part.logits), _array(features, empty=(0, N_CLASSES)), _array(part.bias))

        return cls(
            feature_schema=read.feature_schema,
            feature_names=names,
            mean=_array(read.mean),
            scale=_array(read.scale),
            weights=weights(read.weights),
            missing_shift=weights(read.missing_shift),
            uses_features=read.uses_features,
            l2=read.l2,
            ablation=read.ablation,
        )


def standardise(features: Floats, mean: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Features (n, k) in standard deviations, bounded, missing ones 0; and the share of missing ones by row, (n, 1)."""
    if np.isinf(features).any():
        raise PermanentError("Features hold infinite values.", remedy="Use NaN for a missing feature.")
    absent = np.isnan(features)
    standardised = np.minimum(np.maximum((features - mean) / scale, -LARGEST_STANDARDISED), LARGEST_STANDARDISED)
    return np.where(absent, 0.0, standardised), absent.mean(axis=1, keepdims=True)


def require_finite(name: str, values: Floats, shape: tuple[int, ...]) -> None:
    if values.shape != shape or not np.isfinite(values).all():
        raise PermanentError(
            f"{name} has shape {values.shape} or holds NaN or infinite numbers.", remedy=f"Finite, {shape} is needed."
        )


def _array(values: Sequence[Any], *, empty: tuple[int, ...] = (0,)) -> Floats:
    if not values:
        return np.zeros(empty)
    try:
        return np.asarray(values, dtype=np.float64)
    except ValueError:
        raise PermanentError("The head's numbers do not form a matrix.", remedy="Train the model again.") from None


class _WeightsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    logits: list[list[float]]
    features: dict[str, list[float]]
    bias: list[float]


class _HeadDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    labels: list[str]
    feature_schema: str
    feature_names: list[str]
    mean: list[float]
    scale: list[float]
    weights: _WeightsDocument
    missing_shift: _WeightsDocument
    uses_features: bool
    l2: float
    ablation: Ablation | None
