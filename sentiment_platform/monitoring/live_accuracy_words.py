"""Live accuracy as Dagster shows it: a sentence, and numbers of which it draws lines. Tables are `markdown`."""

from sentiment_platform.monitoring.unlabelled import Unlabelled
from sentiment_platform.served.performance import AUDIT, FEEDBACK, SELF_SELECTED, PerformanceReport, VersionPerformance
from sentiment_platform.statistics.estimate import ACCURACY, with_interval
from sentiment_platform.store.audit_sample import SampleCounts
from sentiment_platform.store.figures import Figure


def live_accuracy_in_words(report: PerformanceReport, version: str | None, sample: SampleCounts) -> str:
    """What judges, what does not, and how many texts wait for people."""
    answered = max((row.predictions for row in report.rows), default=0)
    audit, feedback = (_row(report, version, source) for source in (AUDIT, FEEDBACK))
    parts = [f"{answered:,} answers in the longest window."]
    if version is not None and audit is not None:
        accuracy = _accuracy(audit)
        left_out = f", {audit.in_sample} left out: it learned from their texts" if audit.in_sample else ""
        parts.append(
            f"{version}: right on {with_interval(accuracy)} of an audit sample of {accuracy.n} ({audit.window}{left_out})."
            if accuracy
            else f"{version} is not judged: {audit.note} ({audit.window}{left_out})."
        )
    if feedback is not None and feedback.labelled:
        said = _accuracy(feedback)
        figure = f" agree with {said.value:.3f} of its answers" if said else ""
        parts.append(f"Feedback: {feedback.labelled} labels{figure}: {SELF_SELECTED}.")
    if sample.waiting:
        parts.append(f"{sample.waiting} texts wait to be labelled: `sentiment-platform labels tasks export`.")
    return " ".join(parts)


def live_accuracy_numbers(
    report: PerformanceReport, version: str | None, sample: SampleCounts, unlabelled: Unlabelled
) -> dict[str, float | int]:
    """Name -> number; a figure that there is not is absent, so that a line has a gap there and no zero."""
    audit, feedback = (_row(report, version, source) for source in (AUDIT, FEEDBACK))
    numbers: dict[str, float | int | None] = {
        "audit_sampled": sample.answers,
        "audit_waiting": sample.waiting,
        "audit_labelled": audit.labelled if audit else 0,
        "audit_left_out": audit.in_sample if audit else 0,
        "feedback_labelled": feedback.labelled if feedback else 0,
        "estimated_without_labels": unlabelled.estimate.value if unlabelled.estimate else None,
        "estimate_less_audit": unlabelled.difference,
    }
    accuracy, said = (_accuracy(row) if row else None for row in (audit, feedback))
    if accuracy:
        numbers |= {"live_accuracy": accuracy.value, "live_accuracy_low": accuracy.low, "live_accuracy_high": accuracy.high}
        numbers["live_accuracy_n"] = accuracy.n
    if said:
        numbers["feedback_accuracy"] = said.value
    return {name: value for name, value in numbers.items() if value is not None}


def _row(report: PerformanceReport, version: str | None, source: str) -> VersionPerformance | None:
    """The row of the shortest window that has an accuracy, or of the longest one."""
    rows = [row for row in report.rows if row.version == version and row.window.startswith(f"{source}:")]
    return next((row for row in rows if _accuracy(row)), rows[-1] if rows else None)


def _accuracy(row: VersionPerformance) -> Figure | None:
    return next((figure for figure in row.figures if figure.metric == ACCURACY), None)
