"""The calibration head of a family, and how far it leans to the rarer labels. Fitted on the validation part only.

A family answers with its likeliest label. Calibrated on few rows, that is the commonest one too often for macro-F1, so the head may
weigh labels by their rarity, as far as its probabilities stay calibrated. Not here: the head itself (`head`, `fitting`).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LABELS, Floats, LabelledTexts
from sentiment_platform.models.head.fitting import fit_head, measure_ablation
from sentiment_platform.models.head.head import CalibrationHead, HeadWeights
from sentiment_platform.statistics.calibration import expected_calibration_error
from sentiment_platform.statistics.significance import paired_bootstrap
from sentiment_platform.statistics.softmax_regression import fold_of_rows

BALANCES = (0.0, 0.25, 0.5)
"""Exponents: a label counts as its frequency to the power of minus this. 0 weighs every row the same."""
LARGEST_ECE = 0.05
WIDTH_IN_STANDARD_ERRORS = 2 * 1.96
"""Of a 95 % interval."""
FOLDS = 5


def fit_labelling_head(
    logits: Floats, validation: LabelledTexts, feature_names: Sequence[str], feature_schema: str, *, seed: int
) -> tuple[CalibrationHead, float]:
    """The head on all validation rows, and its label balance.

    That is the smallest of `BALANCES` to which no larger one adds more than a standard error of held-out macro-F1 ("one standard error
    rule", Breiman et al. 1984) while its held-out calibration error stays within `LARGEST_ECE`: leaning costs calibration, and a few
    hundred rows find a gain where there is none.

    Raises:
        PermanentError: too few rows for the folds, or none of a label: such a head would never answer with it.
    """
    labels, features = validation.labels, validation.features
    if missing := [label for index, label in enumerate(LABELS) if not (labels == index).any()]:
        raise PermanentError(f"No validation text is {' or '.join(missing)}.", remedy="Label more texts, of every label.")
    stories = np.asarray(validation.stories) if len(validation.stories) else np.arange(labels.size)
    ablation = measure_ablation(logits, features, labels, groups=stories.tolist(), seed=seed)
    folds = fold_of_rows(labels.size, FOLDS, seed=seed, groups=stories)

    def fit(rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], balance: float, l2: float | None) -> CalibrationHead:
        counts = np.maximum(np.bincount(labels[rows], minlength=3), 1).astype(np.float64)
        weights = (counts / counts.mean()) ** -balance
        return fit_head(
            logits[rows],
            features[rows],
            labels[rows],
            feature_names,
            feature_schema,
            l2=l2,
            class_weight=weights.tolist(),
            use_features=ablation.features_help,
            groups=stories[rows].tolist(),
            seed=seed,
            ablation=ablation,
        )

    everything = np.ones(labels.size, dtype=np.bool_)

    def tried(balance: float) -> tuple[CalibrationHead, Floats]:
        """The head on all rows, and its held-out answers."""
        whole = fit(everything, balance, None)
        answers = np.empty((labels.size, 3))
        for fold in range(FOLDS):
            held = folds == fold
            answers[held] = fit(~held, balance, whole.l2).probabilities(logits[held], features[held])
        return whole, answers

    chosen = BALANCES[0]
    head, kept = tried(chosen)
    for balance in BALANCES[1:]:
        whole, answers = tried(balance)
        gain = paired_bootstrap(labels, kept, answers, seed=seed).difference
        standard_error = (gain.high - gain.low) / WIDTH_IN_STANDARD_ERRORS
        if gain.value > standard_error and expected_calibration_error(labels, answers) <= LARGEST_ECE:
            chosen, head, kept = balance, whole, answers
    return head, chosen


def plain_head(feature_names: Sequence[str], feature_schema: str) -> CalibrationHead:
    """The head that leaves a scorer as it is: softmax of its logits, whatever the features. For where none can be fitted."""
    k = len(feature_names)
    n = len(LABELS)
    nothing = HeadWeights(np.zeros((n, n)), np.zeros((k, n)), np.zeros(n))
    as_it_is = HeadWeights(np.eye(n), nothing.features, nothing.bias)
    return CalibrationHead(
        feature_schema=feature_schema,
        feature_names=tuple(feature_names),
        mean=np.zeros(k),
        scale=np.ones(k),
        weights=as_it_is,
        missing_shift=nothing,
        uses_features=False,
        l2=0.0,
    )


def head_figures(head: CalibrationHead, label_balance: float | None) -> dict[str, Any]:
    """What a manifest says about a head: whether it uses the features, what they add, how far it leans (None: not fitted here)."""
    return {
        "features_help": head.uses_features,
        "label_balance": label_balance,
        "ablation": msgspec.to_builtins(head.ablation),
    }
