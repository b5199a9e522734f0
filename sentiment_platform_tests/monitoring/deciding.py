"""What a decision rests on, by hand: drift of a severity, live accuracy, trainings."""

from datetime import timedelta

from sentiment_platform.monitoring.causes import LastTraining, LivePerformance, RetrainPolicy
from sentiment_platform.monitoring.drift import DriftReport
from sentiment_platform.monitoring.severity import Severity
from sentiment_platform.registry.manifest import Metric
from sentiment_platform.statistics.drift.by_feature import FeatureDrift
from sentiment_platform_tests.monitoring.seeding import NOW, VERSION

POLICY = RetrainPolicy()
HOLDOUT = Metric(value=0.8, low=0.76, high=0.84, n=400, dataset="its test part")
STEADY = LivePerformance(Metric(value=0.79, low=0.7, high=0.88, n=90, dataset="audit:7d"), HOLDOUT)
FALLEN = LivePerformance(Metric(value=0.6, low=0.5, high=0.7, n=90, dataset="audit:7d"), HOLDOUT)
UNKNOWN = LivePerformance(None, HOLDOUT)
RECENT = LastTraining("set", NOW - timedelta(days=3), 10)
OLD = LastTraining("set", NOW - timedelta(days=31), 50)


def drift(severity: Severity) -> DriftReport:
    drifted = severity != "none"
    row = FeatureDrift(
        feature="word_count",
        test="ks",
        statistic=0.3 if drifted else 0.01,
        p_value=0.0,
        adjusted_p=0.0,
        effect_size=0.5,
        threshold=0.1,
        drifted=drifted,
        n_reference=800,
        n_current=600,
    )
    return DriftReport(
        report_id="report",
        version=VERSION,
        window_start=NOW - timedelta(days=1),
        window_end=NOW,
        texts=600,
        severity=severity,
        rows=(row,),
        windows_moved={"word_count": 2 * drifted},
        missing={},
    )
