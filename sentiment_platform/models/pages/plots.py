"""Pictures of results as PNG bytes. Results in, picture out: nothing is computed here. How they are drawn is `drawing`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.pages.drawing import PALETTE, blend, cell, dressed, grid_of_cells, new_figure, png_of
from sentiment_platform.statistics.arrays import LABELS
from sentiment_platform.statistics.calibration import ReliabilityBin
from sentiment_platform.statistics.drift.by_feature import FeatureDrift
from sentiment_platform.statistics.estimate import LOG_LOSS, MACRO_F1, TITLES, Estimate

Panel = Callable[[Any], None]
"""Draws one picture into the part of a figure that it is given (a figure or subfigure of matplotlib's)."""

PANEL_IN, PANEL_DPI = (4.4, 3.9), 80
"""So that three panels side by side, or four in two rows, fit the window that the Dagster UI opens on a screen 1,440 pixels wide."""
_SIDE_BY_SIDE = 3


def panels_png(panels: Sequence[Panel]) -> bytes:
    """Several pictures as one: up to three side by side, more in two columns.

    Raises:
        PermanentError: no panels.
    """
    from matplotlib.figure import Figure

    if not panels:
        raise PermanentError("There is no panel to draw.", remedy="Draw what has figures.")
    columns = len(panels) if len(panels) <= _SIDE_BY_SIDE else 2
    rows = -(-len(panels) // columns)
    size = (PANEL_IN[0] * columns, PANEL_IN[1] * rows)
    figure = Figure(figsize=size, dpi=PANEL_DPI, layout="constrained", facecolor=PALETTE["paper"])
    parts = figure.subfigures(rows, columns, squeeze=False)
    for part in parts.flat:
        part.set_facecolor(PALETTE["paper"])
    for panel, part in zip(panels, parts.flat, strict=False):
        panel(part)
    return png_of(figure)


def confusion_panel(confusion: Sequence[Sequence[int]], macro_f1: float, *, title: str = "Confusion matrix") -> Panel:
    """Counts and shares of each true class; the diagonal in blue, mistakes in orange, stronger with the share of the row."""

    def draw(area: Any) -> None:
        counts = np.asarray(confusion)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes = dressed(area.subplots(), title)
        for row, column in np.ndindex(*counts.shape):
            share = float(shares[row, column])
            colour = PALETTE["blue"] if row == column else PALETTE["orange"]
            cell(axes, column, row, f"{counts[row, column]:,}\n{share:.0%}", colour, share)
        grid_of_cells(axes, columns=LABELS, rows=LABELS)
        axes.set_xlabel(f"predicted   (n = {counts.sum():,}, macro-F1 {macro_f1:.3f})")
        axes.set_ylabel("true")

    return draw


def reliability_panel(bins: Sequence[ReliabilityBin], ece: float, *, title: str = "Reliability") -> Panel:
    """Accuracy over confidence by bin with 95 % intervals, against the diagonal; bars at the foot compare how many rows the bins hold."""

    def draw(area: Any) -> None:
        axes = dressed(area.subplots(), title)
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

    return draw


def differences_png(differences: Sequence[tuple[str, Estimate]], *, metric: str, margin: float) -> bytes:
    """One line a pair: the difference with its interval, against zero and the margin within which a difference does not matter.

    Args:
        differences: what each line is called, and B less A.
        metric: what differs, as people call it.

    Raises:
        PermanentError: no pairs.
    """
    if not differences:
        raise PermanentError("There is no pair to draw.", remedy="Draw a comparison that has pairs.")
    figure, axes = new_figure(6.6, 1.1 + 0.5 * len(differences), f"Difference of {metric}, with 95 % intervals")
    axes.axvspan(-margin, margin, color=blend(PALETTE["grey"], 0.2), linewidth=0)
    axes.axvline(0.0, color=PALETTE["ink"], linestyle="--", linewidth=1.2)
    for line, (_, estimate) in enumerate(differences):
        colour = PALETTE["green"] if estimate.low > 0 else PALETTE["red"] if estimate.high < 0 else PALETTE["orange"]
        axes.plot([estimate.low, estimate.high], [line] * 2, color=colour, linewidth=3, solid_capstyle="butt")
        axes.plot([estimate.value], [line], color=colour, marker="o")
        axes.text(
            estimate.value, line - 0.14, f"{estimate.value:+.3f}", ha="center", va="bottom", color=PALETTE["ink"], fontsize=9
        )
    axes.set_yticks(range(len(differences)), [name for name, _ in differences])
    axes.set(ylim=(len(differences) - 0.5, -0.7), xlabel=f"grey: within {margin:g} of zero")
    axes.tick_params(axis="y", length=0)
    return png_of(figure)


def drift_heatmap_png(rows: Sequence[FeatureDrift], *, title: str = "Drift by feature") -> bytes:
    """One line a feature, one column a test: the statistic, shaded by its distance to the threshold, red where it drifted.

    Raises:
        PermanentError: no rows.
    """
    if not rows:
        raise PermanentError("There is no drift row to draw.", remedy="Draw a report that has features.")
    features = list(dict.fromkeys(row.feature for row in rows))
    tests = list(dict.fromkeys(row.test for row in rows))
    figure, axes = new_figure(4.6, 1.5 + 0.3 * len(features), title)
    for row in rows:
        x, y = tests.index(row.test), features.index(row.feature)
        if row.statistic is None:
            cell(axes, x, y, "not testable", PALETTE["grey"], 0.0)
            continue
        colour = PALETTE["red"] if row.drifted else PALETTE["blue"]
        strength = 1.0 if row.drifted else min(0.5, 0.5 * row.statistic / row.threshold)
        cell(axes, x, y, f"{row.statistic:.3f}" + (" drifted" if row.drifted else ""), colour, strength)
    thresholds = {row.test: row.threshold for row in rows}
    grid_of_cells(axes, columns=[f"{test.upper()}\nthreshold {thresholds[test]:g}" for test in tests], rows=features)
    return png_of(figure)


class TwoDistributions(Protocol):
    """One subject in two samples: counts between neighbouring edges."""

    @property
    def subject(self) -> str: ...
    @property
    def edges(self) -> Sequence[float]: ...
    @property
    def reference(self) -> Sequence[int]: ...
    @property
    def current(self) -> Sequence[int]: ...


def two_distributions_png(distributions: Sequence[TwoDistributions]) -> bytes:
    """One picture a subject: the share of texts by value, before as an area and now as a line, over the same bins.

    Raises:
        PermanentError: no distributions.
    """
    return panels_png([_two_distributions(one) for one in distributions])


def _two_distributions(one: TwoDistributions) -> Panel:
    def draw(area: Any) -> None:
        axes = dressed(area.subplots(), one.subject)
        edges = np.asarray(one.edges, dtype=np.float64)
        styles: list[tuple[Sequence[int], str, dict[str, Any]]] = [
            (one.reference, "before", {"fill": True, "color": blend(PALETTE["blue"], 0.4)}),
            (one.current, "now", {"color": PALETTE["red"], "linewidth": 1.6}),
        ]
        for counts, name, style in styles:
            shares = np.asarray(counts, dtype=np.float64) / max(1, sum(counts))
            axes.stairs(shares, edges, label=f"{name} (n = {sum(counts):,})", **style)
        axes.set(xlabel="value", ylabel="share of stories", ylim=(0, None))
        axes.legend(frameon=False, labelcolor=PALETTE["ink"], fontsize=8)

    return draw


def training_panel(
    losses: Sequence[Sequence[float]], epochs: Sequence[Mapping[str, Any]], *, best: int, title: str = "Training"
) -> Panel:
    """Training loss by optimizer step, and below it log loss and macro-F1 of each epoch on the validation texts, the kept one marked.

    Args:
        losses: (step, mean loss) points; `epochs`: rows with `epoch`, `macro_f1`, `log_loss` and `stage`; both as in a manifest.
    """

    def draw(area: Any) -> None:
        above, below = (dressed(axes, heading) for axes, heading in zip(area.subplots(2, 1), (title, ""), strict=True))
        above.plot([x for x, _ in losses], [y for _, y in losses], color=PALETTE["blue"], linewidth=1.2)
        above.set(xlabel="optimizer step", ylabel="training loss", ylim=(0, None))
        numbers = [int(row["epoch"]) for row in epochs]
        for key, name, colour, marker in (
            (MACRO_F1, TITLES[MACRO_F1], PALETTE["blue"], "o"),
            (LOG_LOSS, TITLES[LOG_LOSS], PALETTE["orange"], "s"),
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

    return draw


def search_panel(trials: Sequence[Mapping[str, Any]], importances: Mapping[str, float], *, title: str = "Search") -> Panel:
    """Value of each trial and the best so far, pruned ones hollow; below it how much each parameter mattered, where that is known.

    Args:
        trials: rows with `number`, `state` and `value`, as in a manifest. importances: parameter -> share.
    """

    def draw(area: Any) -> None:
        from matplotlib.ticker import MaxNLocator

        places = np.atleast_1d(area.subplots(2 if importances else 1, 1))
        axes = dressed(places[0], title)
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
        axes.legend(frameon=False, labelcolor=PALETTE["ink"], fontsize=8, loc="lower right")
        if importances:
            beside = dressed(places[1], "")
            ordered = sorted(importances.items(), key=lambda item: item[1])
            beside.barh([name for name, _ in ordered], [share for _, share in ordered], color=PALETTE["blue"])
            beside.set(xlabel="share of the variation (PED-ANOVA)")

    return draw
