"""Markdown tables of what was measured, as Dagster's metadata shows them."""

from collections.abc import Sequence

from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.monitoring.decision import Decision
from sentiment_platform.monitoring.drift import DriftReport
from sentiment_platform.monitoring.judging import PERSISTS
from sentiment_platform.monitoring.severity import CLOCK
from sentiment_platform.monitoring.swap_watch import Watched
from sentiment_platform.monitoring.windows import WINDOWS
from sentiment_platform.served.performance import PerformanceReport
from sentiment_platform.statistics.estimate import (
    ACCURACY,
    ACCURACY_TREND,
    ECE,
    FEEDBACK_SCORE,
    MACRO_F1,
    PREFERRED_SHARE,
    TITLES,
    UTILITY,
    with_interval,
)


def swap_table(watched: Sequence[Watched]) -> str:
    """One line a question of each watched swap: before, now, the chance of it, and whether it is a reason to go back."""
    rows = [
        (
            one.swap.version,
            question.metric,
            question.n,
            f"{question.before:.3f}",
            f"{question.now:.3f}",
            f"{question.p:.2g}",
            question.worse,
        )
        for one in watched
        for question in one.questions
    ]
    return markdown_table(("version", "metric", "answers", "before", "now", "p", "worse"), rows, empty="Nothing was asked.")


def verdict(report: DriftReport) -> str:
    """The report in one sentence."""
    if not report.rows:
        return report.note
    if not report.tested:
        few = report.rows[0].not_testable or "too few stories"
        return f"Nothing could be judged: {few}."
    once = f" {', '.join(report.moved)} moved for the first time: another window decides." if report.moved else ""
    if not report.drifted:
        return f"Nothing drifted: {report.tested} subjects were tested on {report.texts:,} stories.{once}"
    return f"Drift of {report.severity} severity, in at least {PERSISTS} of {WINDOWS} windows: {', '.join(report.drifted)}.{once}"


def drift_table(report: DriftReport) -> str:
    """One line a test: figures, decision, and why it could not be made where it could not."""
    outcomes = dict.fromkeys(report.moved, f"moved, {PERSISTS} of {WINDOWS} windows are needed")
    outcomes |= dict.fromkeys(CLOCK, "the clock: shown, not judged")
    rows = [
        (
            row.feature,
            row.test.upper(),
            _number(row.statistic),
            f"{row.threshold:g}",
            _number(row.adjusted_p),
            f"{row.n_reference:,} / {row.n_current:,}",
            _windows(report, row.feature),
            row.not_testable or ("**drifted**" if row.drifted else outcomes.get(row.feature, "steady")),
        )
        for row in report.rows
    ]
    header = ("subject", "test", "statistic", "threshold", "adjusted p", "n before / now", "windows moved", "outcome")
    return markdown_table(header, rows, report.note or "Nothing was tested.")


def missing_table(report: DriftReport) -> str:
    """One line a feature that lacks values on either side."""
    rows = [(name, f"{one:.0%}", f"{other:.0%}") for name, (one, other) in report.missing.items() if one or other]
    return markdown_table(("feature", "missing before", "missing now"), rows, "No value is missing on either side.")


def performance_table(report: PerformanceReport) -> str:
    """One line a version and window; figures only where there are labels enough."""
    rows: list[tuple[str, ...]] = []
    for row in report.rows:
        by_metric = {figure.metric: figure for figure in row.figures}
        shown = [
            with_interval(by_metric[name]) if name in by_metric else "-"
            for name in (ACCURACY, MACRO_F1, PREFERRED_SHARE, UTILITY, FEEDBACK_SCORE)
        ]
        trend = by_metric.get(ACCURACY_TREND)
        ece = with_interval(by_metric[ECE]) if ECE in by_metric else "-"
        rows.append(
            (
                row.version,
                row.window,
                f"{row.predictions:,}",
                str(row.sampled) if row.sampled else "-",
                str(row.labelled),
                str(row.in_sample),
                *shown[:2],
                ece,
                *shown[2:],
                with_interval(trend, "+.4f") if trend else "-",
                row.note,
            )
        )
    header = ("version", "window", "predictions", "in the sample", "labelled", "left out: fitted on")
    measures = [TITLES[name] for name in (ACCURACY, MACRO_F1, ECE, PREFERRED_SHARE, UTILITY, FEEDBACK_SCORE, ACCURACY_TREND)]
    return markdown_table((*header, *measures, "note"), rows, "No prediction has been served in these windows.")


def decision_table(decision: Decision) -> str:
    """One line a cause."""
    return markdown_table(("cause", "about", "why"), [(c.kind, c.subject, c.statement) for c in decision.causes], decision.reason)


def _windows(report: DriftReport, subject: str) -> str:
    return f"{report.windows_moved.get(subject, 0)} of {WINDOWS}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
