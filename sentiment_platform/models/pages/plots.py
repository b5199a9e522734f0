"""Pictures of results as PNG bytes, and as markdown for Dagster metadata; one palette for all of them.

Results in, picture out: nothing is computed here. Every picture brings its own paper, because the same one is looked at on white
pages and on dark ones. matplotlib is imported where it draws, without pyplot's global state.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import LABELS, Floats
from sentiment_platform.statistics.calibration import ReliabilityBin
from sentiment_platform.statistics.drift.by_feature import FeatureDrift
from sentiment_platform.statistics.significance import PairedDifference

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours carry lines and cells, ink carries text; each stands out from paper, and the difference is never in hue alone.
PALETTE = MappingProxyType(
    {
        "paper": "#fafaf8",
        "ink": "#2b2f36",
        "grey": "#767b84",
        "blue": "#2f6fc0",
        "orange": "#c05f14",
        "green": "#23794a",
        "red": "#c8372b",
    }
)
_DPI = 144


def confusion_matrix_png(confusion: Sequence[Sequence[int]], macro_f1: float, *, title: str = "Confusion matrix") -> bytes:
    """Counts and shares of each true class; the diagonal in blue, mistakes in orange, stronger with the share of the row."""
    counts = np.asarray(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(4.4, 3.9, title)
    for row, column in np.ndindex(*counts.shape):
        share = float(shares[row, column])
        colour = PALETTE["blue"] if row == column else PALETTE["orange"]
        _cell(axes, column, row, f"{counts[row, column]:,}\n{share:.0%}", colour, share)
    _grid_of_cells(axes, columns=LABELS, rows=LABELS)
    axes.set_xlabel(f"predicted   (n = {counts.sum():,}, macro-F1 {macro_f1:.3f})")
    axes.set_ylabel("true")
    return _png(figure)


def reliability_png(bins: Sequence[ReliabilityBin], ece: float, *, title: str = "Reliability") -> bytes:
    """Accuracy over confidence by bin with 95 % intervals, against the diagonal; bars at the foot compare how many rows the bins hold."""
    figure, axes = _figure(4.4, 3.9, title)
    fullest = max([1, *(b.count for b in bins)])
    axes.plot([0, 1], [0, 1], color=PALETTE["grey"], linestyle="--", linewidth=1, label="perfectly calibrated")
    points: list[tuple[float, float]] = []
    for b in bins:
        middle, width = (b.low + b.high) / 2, (b.high - b.low) * 0.9
        axes.bar(middle, 0.15 * b.count / fullest, width=width, color=blend(PALETTE["grey"], 0.5))
        if b.confidence is None or b.accuracy is None or b.accuracy_low is None or b.accuracy_high is None:
            continue
        points.append((b.confidence, b.accuracy))
        axes.plot([b.confidence] * 2, [b.accuracy_low, b.accuracy_high], color=PALETTE["blue"], linewidth=1.5)
    curve: dict[str, Any] = {"marker": "o", "markersize": 4, "linewidth": 0.8, "label": f"observed, ECE {ece:.3f}"}
    axes.plot([x for x, _ in points], [y for _, y in points], color=PALETTE["blue"], **curve)
    total = sum(b.count for b in bins)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=f"confidence   (n = {total:,}; bars: rows)", ylabel="accuracy")
    axes.legend(loc="upper left", frameon=False, labelcolor=PALETTE["ink"], fontsize=9)
    return _png(figure)


def difference_png(samples: Floats, comparison: PairedDifference, *, names: tuple[str, str], title: str = "") -> bytes:
    """Resampled differences (n_resamples,) of two models, their interval and zero; `names` are those of A and B."""
    metric = comparison.metric.replace("_", "-").replace("macro-f1", "macro-F1")
    figure, axes = _figure(5.2, 3.4, title or f"{names[1]} against {names[0]}: {metric}")
    estimate = comparison.difference
    heights, _, _ = axes.hist(samples, bins=40, color=blend(PALETTE["blue"], 0.6))
    top = float(np.max(heights))
    colour = PALETTE["green"] if estimate.low > 0 else PALETTE["red"] if estimate.high < 0 else PALETTE["orange"]
    axes.plot([estimate.low, estimate.high], [1.08 * top] * 2, color=colour, linewidth=3, solid_capstyle="butt")
    axes.plot([estimate.value], [1.08 * top], color=colour, marker="o")
    note = f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}], p = {comparison.p_value:.3g}"
    axes.text(estimate.value, 1.14 * top, note, ha="center", va="bottom", color=PALETTE["ink"])
    axes.axvline(0.0, color=PALETTE["ink"], linestyle="--", linewidth=1.2)
    axes.set(ylim=(0, 1.32 * top), yticks=[], xlabel=f"{metric} of {names[1]} minus {names[0]}   (n = {estimate.n:,})")
    return _png(figure)


def drift_heatmap_png(rows: Sequence[FeatureDrift], *, title: str = "Drift by feature") -> bytes:
    """One line a feature, one column a test: the statistic, shaded by its distance to the threshold, red where it drifted.

    Raises:
        PermanentError: no rows.
    """
    if not rows:
        raise PermanentError("There is no drift row to draw.", remedy="Draw a report that has features.")
    features = list(dict.fromkeys(row.feature for row in rows))
    tests = list(dict.fromkeys(row.test for row in rows))
    figure, axes = _figure(4.6, 1.5 + 0.3 * len(features), title)
    for row in rows:
        x, y = tests.index(row.test), features.index(row.feature)
        if row.statistic is None:
            _cell(axes, x, y, "not testable", PALETTE["grey"], 0.0)
            continue
        colour = PALETTE["red"] if row.drifted else PALETTE["blue"]
        strength = 1.0 if row.drifted else min(0.5, 0.5 * row.statistic / row.threshold)
        _cell(axes, x, y, f"{row.statistic:.3f}" + (" drifted" if row.drifted else ""), colour, strength)
    thresholds = {row.test: row.threshold for row in rows}
    _grid_of_cells(axes, columns=[f"{test.upper()}\nthreshold {thresholds[test]:g}" for test in tests], rows=features)
    return _png(figure)


def training_png(
    losses: Sequence[Sequence[float]], epochs: Sequence[Mapping[str, Any]], *, best: int, title: str = "Training"
) -> bytes:
    """Training loss by optimizer step, and under it log loss and macro-F1 of each epoch on the validation texts, the kept one marked.

    Args:
        losses: (step, mean loss) points; `epochs`: rows with `epoch`, `macro_f1`, `log_loss` and `stage`; both as in a manifest.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 4.6), dpi=_DPI, layout="constrained", facecolor=PALETTE["paper"])
    above, below = (_dressed(figure.add_subplot(2, 1, row), heading) for row, heading in ((1, title), (2, "")))
    above.plot([x for x, _ in losses], [y for _, y in losses], color=PALETTE["blue"], linewidth=1.2)
    above.set(xlabel="optimizer step", ylabel="training loss", ylim=(0, None))
    numbers = [int(row["epoch"]) for row in epochs]
    for key, name, colour, marker in (
        ("macro_f1", "macro-F1", PALETTE["blue"], "o"),
        ("log_loss", "log loss", PALETTE["orange"], "s"),
    ):
        curve: dict[str, Any] = {"marker": marker, "markersize": 4, "linewidth": 1.0, "label": f"validation {name}"}
        below.plot(numbers, [float(row[key]) for row in epochs], color=colour, **curve)
    below.axvline(best, color=PALETTE["green"], linestyle="--", linewidth=1.2, label=f"kept: epoch {best}")
    changes = [
        n for n, row, other in zip(numbers[1:], epochs[1:], epochs, strict=False) if row.get("stage") != other.get("stage")
    ]
    for number in changes:
        below.axvline(number - 0.5, color=PALETTE["grey"], linestyle=":", linewidth=1)
    below.set(xlabel="epoch" + ("   (dotted: the next stage begins)" if changes else ""), ylim=(0, None), xticks=numbers)
    below.legend(frameon=False, labelcolor=PALETTE["ink"], fontsize=8)
    return _png(figure)


def search_png(trials: Sequence[Mapping[str, Any]], importances: Mapping[str, float], *, title: str = "Search") -> bytes:
    """Value of each trial and the best so far, pruned ones hollow; beside it how much each parameter mattered, where that is known.

    Args:
        trials: rows with `number`, `state` and `value`, as in a manifest. importances: parameter -> share.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8.0 if importances else 5.2, 3.4), dpi=_DPI, layout="constrained", facecolor=PALETTE["paper"])
    axes = _dressed(figure.add_subplot(1, 2 if importances else 1, 1), title)
    complete = [(int(t["number"]), float(t["value"])) for t in trials if t["state"] == "complete"]
    pruned = [(int(t["number"]), float(t["value"])) for t in trials if t["state"] == "pruned" and t["value"] is not None]
    best = np.maximum.accumulate([value for _, value in complete])
    axes.step([n for n, _ in complete], best, where="post", color=PALETTE["green"], linewidth=1.4, label="best so far")
    axes.scatter(
        [n for n, _ in complete], [v for _, v in complete], color=PALETTE["blue"], s=16, label=f"{len(complete)} complete"
    )
    hollow: dict[str, Any] = {"facecolors": "none", "edgecolors": PALETTE["grey"], "s": 16, "label": f"{len(pruned)} pruned"}
    axes.scatter([n for n, _ in pruned], [v for _, v in pruned], **hollow)
    axes.set(xlabel="trial", ylabel="value (larger is better)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, labelcolor=PALETTE["ink"], fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3)
    if importances:
        beside = _dressed(figure.add_subplot(1, 2, 2), "What mattered")
        ordered = sorted(importances.items(), key=lambda item: item[1])
        beside.barh([name for name, _ in ordered], [share for _, share in ordered], color=PALETTE["blue"])
        beside.set(xlabel="share of the variation (PED-ANOVA)")
    return _png(figure)


def as_markdown(png: bytes, alt: str) -> str:
    """A markdown image with the picture inside, for `dg.MetadataValue.md`.

    Raises:
        PermanentError: bytes that are not a PNG.
    """
    if not png.startswith(b"\x89PNG\r\n\x1a\n"):
        raise PermanentError("These bytes are not a PNG.", remedy="Pass what a *_png function returned.")
    safe = alt.replace("\n", " ").replace("[", "(").replace("]", ")")
    return f"![{safe}](data:image/png;base64,{base64.b64encode(png).decode('ascii')})"


def _figure(width_in: float, height_in: float, title: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=_DPI, layout="constrained", facecolor=PALETTE["paper"])
    return figure, _dressed(figure.add_subplot(), title)


def _dressed(axes: Any, title: str) -> Axes:
    axes.set_title(title, color=PALETTE["ink"], fontsize=11)
    axes.set_facecolor(PALETTE["paper"])
    axes.tick_params(colors=PALETTE["ink"], labelsize=9)
    axes.xaxis.label.set_color(PALETTE["ink"])
    axes.yaxis.label.set_color(PALETTE["ink"])
    for side, spine in axes.spines.items():
        spine.set_color(PALETTE["ink"])
        spine.set_visible(side in ("left", "bottom"))
    return axes


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two #rrggbb colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light = sorted(_luminance(_rgb(colour)) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def blend(colour: str, strength: float) -> str:
    """`colour` laid on paper with a strength from 0 (paper) to 1."""
    mixed = strength * _rgb(colour) + (1.0 - strength) * _rgb(PALETTE["paper"])
    return "#" + "".join(f"{round(255 * float(channel)):02x}" for channel in mixed)


def _rgb(colour: str) -> Floats:
    return np.asarray([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def _luminance(rgb: Floats) -> float:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.asarray([0.2126, 0.7152, 0.0722]))


def _cell(axes: Axes, x: float, y: float, text: str, colour: str, strength: float) -> None:
    from matplotlib.patches import Rectangle

    fill = blend(colour, 0.08 + 0.92 * min(1.0, strength))
    ink = max(("#ffffff", PALETTE["ink"]), key=lambda candidate: contrast(candidate, fill))
    axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=fill))
    axes.text(x, y, text, ha="center", va="center", color=ink)


def _grid_of_cells(axes: Axes, *, columns: Sequence[str], rows: Sequence[str]) -> None:
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), list(columns))
    axes.set_yticks(range(len(rows)), list(rows))
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    # Without the program's name the same figures make the same bytes under any version string.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
