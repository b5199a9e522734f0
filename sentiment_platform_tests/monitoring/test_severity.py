import msgspec
import pytest

from sentiment_platform.monitoring.severity import CLOCK, RESPONSES, SEVERITIES, TEXT, Response, Severity, at_least, severity_of
from sentiment_platform.statistics.drift.by_feature import FeatureDrift


def row(subject: str, *, drifted: bool, statistic: float | None = 0.15) -> FeatureDrift:
    return FeatureDrift(
        feature=subject,
        test="ks",
        statistic=statistic,
        p_value=0.0 if drifted else 0.5,
        adjusted_p=0.0,
        effect_size=0.0,
        threshold=0.1,
        drifted=drifted,
        n_reference=500,
        n_current=500,
    )


def report(drifted: int, *, of: int = 8, score: bool = False, statistic: float = 0.15) -> list[FeatureDrift]:
    rows = [row(f"feature {i}", drifted=i < drifted, statistic=statistic if i < drifted else 0.01) for i in range(of)]
    return [*rows, row("score:sentiment", drifted=score)]


def text(area: float) -> FeatureDrift:
    return msgspec.structs.replace(row(TEXT, drifted=True, statistic=area), test="auc", threshold=0.7)


@pytest.mark.parametrize(
    ("rows", "severity"),
    [
        ([], "none"),
        (report(0), "none"),
        (report(1), "low"),
        (report(1, statistic=0.2), "medium"),
        (report(2), "medium"),
        (report(0, score=True), "medium"),
        (report(1, score=True), "medium"),
        (report(2, score=True), "high"),
        (report(4), "high"),
        (report(4, score=True), "critical"),
        ([*report(0), text(0.75)], "medium"),
        ([*report(0), text(0.9)], "high"),
        ([*report(2), text(0.75)], "high"),
        ([*report(4), text(0.75)], "critical"),
        ([*report(0), *(row(name, drifted=True, statistic=0.9) for name in CLOCK)], "none"),
    ],
)
def test_the_severity_is_that_of_the_documented_table(rows: list[FeatureDrift], severity: Severity) -> None:
    assert severity_of(rows) == severity


def test_what_could_not_be_tested_does_not_make_a_drift_look_smaller() -> None:
    untested = [row(f"context {i}", drifted=False, statistic=None) for i in range(20)]
    assert severity_of([*report(4, score=True), *untested]) == "critical"


def test_severities_are_ordered() -> None:
    assert [at_least(severity, "medium") for severity in SEVERITIES] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("severity", "response"),
    [
        ("none", Response()),
        ("low", Response()),
        ("medium", Response(alert=True)),
        ("high", Response(alert=True, retrain=True)),
        ("critical", Response(alert=True, retrain=True, freeze=True)),
    ],
)
def test_each_severity_leads_to_log_alert_training_or_the_freeze_of_promotion(severity: Severity, response: Response) -> None:
    assert RESPONSES[severity] == response
    assert RESPONSES.keys() == set(SEVERITIES)
