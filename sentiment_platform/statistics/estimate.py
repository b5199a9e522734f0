"""A measured value with its interval, how it is printed, and what the measures are called: for manifests, reports, checks and pages alike.

How an interval is computed is `resampling`. No numpy here: the registry and the command line use this file too.
"""

from collections.abc import Mapping
from typing import Annotated, Protocol

import msgspec

ACCURACY, MACRO_F1, LOG_LOSS, BRIER, ECE = "accuracy", "macro_f1", "log_loss", "brier", "ece"
PREFERRED_SHARE, UTILITY, FEEDBACK_SCORE = "preferred_share", "utility", "feedback_score"
ACCURACY_TREND = "accuracy_trend"
TITLES: Mapping[str, str] = {
    ACCURACY: "accuracy",
    MACRO_F1: "macro-F1",
    LOG_LOSS: "log loss",
    BRIER: "Brier score",
    ECE: "ECE",
    PREFERRED_SHARE: "preferred",
    UTILITY: "utility",
    FEEDBACK_SCORE: "score of feedback",
    ACCURACY_TREND: "change of accuracy a day",
}
"""Name of a metric, as manifests and the database have it -> how a page calls it."""


class Estimate(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval (another share where its maker says so), from `n` rows."""

    value: float
    low: float
    high: float
    n: Annotated[int, msgspec.Meta(ge=0)]


class Measured(Protocol):
    """Whatever has a value and, where one was computed, an interval."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


def with_interval(figure: Measured, form: str = ".3f") -> str:
    """`0.813 (0.784 to 0.841)`; the value alone where there is no interval. `form`: a format specification, such as `.1%`."""
    shown = format(figure.value, form)
    return shown if figure.low is None else f"{shown} ({interval(figure, form)})"


def interval(figure: Measured, form: str = ".3f") -> str:
    """`0.784 to 0.841`; `-` where there is no interval."""
    return "-" if figure.low is None or figure.high is None else f"{figure.low:{form}} to {figure.high:{form}}"
