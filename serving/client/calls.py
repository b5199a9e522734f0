"""Every route that reads or predicts, as a function that makes one call of it; a person's changes: `acts`. `clients` sends them."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from sentiment_platform.statistics.estimate import ACCURACY
from sentiment_platform.text.sentiment import Label
from serving.client.call import Call, get, post
from serving.contract.about_bodies import About
from serving.contract.audit_bodies import AuditTrail
from serving.contract.collection_bodies import QualityReport, SourceList
from serving.contract.deployment_bodies import DeploymentsAnswer
from serving.contract.drift_bodies import DriftAnswer, DriftReportAnswer, DriftReportList
from serving.contract.experiment_bodies import ExperimentList
from serving.contract.feature_bodies import FeatureSchemaAnswer
from serving.contract.feedback_bodies import FeedbackAccepted, FeedbackRequest
from serving.contract.flag_bodies import FlagList
from serving.contract.health_bodies import Alive, Health
from serving.contract.incident_bodies import AlertsAnswer
from serving.contract.lineage_bodies import PredictionLineage
from serving.contract.model_bodies import ModelsStatus
from serving.contract.news_bodies import NewsAnswer, TickersAnswer
from serving.contract.performance_bodies import PerformanceAnswer
from serving.contract.prediction_bodies import Answer, BatchAnswer, BatchRequest, CompareAnswer, PredictRequest
from serving.contract.run_bodies import DecisionList, RunList
from serving.contract.selection_bodies import SelectionsAnswer
from serving.contract.service_bodies import ServiceReport, Window
from serving.contract.version_bodies import ModelCard, VersionList


def predict(
    text: str,
    *,
    family: str | None = None,
    ticker: str | None = None,
    source: str | None = None,
    published_at: datetime | str | None = None,
    explain: bool = False,
    deadline_ms: int | None = None,
) -> Call[Answer]:
    """What a text says, by the deployed default family, or by `family`; within `deadline_ms`, where that is shorter than serving's own."""
    written = published_at.isoformat() if isinstance(published_at, datetime) else published_at
    body = PredictRequest(text=text, ticker=ticker, source=source, published_at=written, explain=explain)
    path = f"/predict/{quote(family, safe='')}" if family else "/predict"
    return post(path, Answer, body, x_request_deadline_ms=deadline_ms)


def predict_batch(items: Sequence[str | PredictRequest]) -> Call[BatchAnswer]:
    """Up to 32 texts at once, answered in their order."""
    requests = [PredictRequest(text=item) if isinstance(item, str) else item for item in items]
    return post("/predict/batch", BatchAnswer, BatchRequest(requests))


def compare(text: str, *, ticker: str | None = None, explain: bool = False) -> Call[CompareAnswer]:
    """Every deployed family on the same text."""
    return post("/predict/compare", CompareAnswer, PredictRequest(text=text, ticker=ticker, explain=explain))


def feedback(
    prediction_id: str,
    *,
    label: Label | None = None,
    preference: str | None = None,
    utility: float | None = None,
    comment: str | None = None,
    client_id: str | None = None,
    idempotency_key: str | None = None,
) -> Call[FeedbackAccepted]:
    """What somebody says of an answer; at least one of label, preference and utility. Models learn from the words of keys alone.

    `idempotency_key`: a word for this feedback, such as a random UUID; sent again within a day it counts once.
    """
    body = FeedbackRequest(
        prediction_id=prediction_id, label=label, preference=preference, utility=utility, comment=comment, client_id=client_id
    )
    return post("/feedback", FeedbackAccepted, body, idempotency_key=idempotency_key)


def prediction(prediction_id: str) -> Call[PredictionLineage]:
    """Where an answer came from; known once it is shipped to the database, within seconds."""
    return get(f"/predictions/{quote(prediction_id, safe='')}", PredictionLineage)


def news(
    *, symbol: str | None = None, since: datetime | None = None, limit: int = 50, cursor: str | None = None
) -> Call[NewsAnswer]:
    """Stories with what each family says, newest first; `next_cursor` of one page is the `cursor` of the next."""
    moment = since.isoformat() if since else None
    return get("/news", NewsAnswer, symbol=symbol, since=moment, limit=limit, cursor=cursor)


def tickers(*, days: int = 7, limit: int = 100, family: str | None = None) -> Call[TickersAnswer]:
    """Companies in the window of `days` that ends now, with the mean and the change of their news."""
    return get("/tickers", TickersAnswer, days=days, limit=limit, family=family)


def models_status() -> Call[ModelsStatus]:
    """What is live, and what was tried last."""
    return get("/models/status", ModelsStatus)


def performance() -> Call[PerformanceAnswer]:
    """How right the versions are."""
    return get("/models/performance", PerformanceAnswer)


def performance_history(version: str, *, metric: str = ACCURACY, limit: int = 200) -> Call[PerformanceAnswer]:
    """Every revision of a figure of a version, newest first."""
    return get("/models/performance/history", PerformanceAnswer, version=version, metric=metric, limit=limit)


def models(*, limit: int = 50, offset: int = 0) -> Call[VersionList]:
    """Registered versions, newest first."""
    return get("/models", VersionList, limit=limit, offset=offset)


def model(version: str) -> Call[ModelCard]:
    """The card of a version."""
    return get(f"/models/{quote(version, safe='')}", ModelCard)


def selections(*, limit: int = 50, offset: int = 0) -> Call[SelectionsAnswer]:
    """What people selected, newest first, and which replicas answer with what."""
    return get("/models/selections", SelectionsAnswer, limit=limit, offset=offset)


def audit(*, limit: int = 50, offset: int = 0) -> Call[AuditTrail]:
    """Who changed what, newest first; needs a key of role admin."""
    return get("/audit", AuditTrail, limit=limit, offset=offset)


def flags() -> Call[FlagList]:
    """What is switched on and off, and by whom."""
    return get("/flags", FlagList)


def feature_schema(version: str) -> Call[FeatureSchemaAnswer]:
    """What a feature schema holds."""
    return get(f"/features/{quote(version, safe='')}", FeatureSchemaAnswer)


def experiments(
    *, version: str | None = None, other: str | None = None, limit: int = 50, offset: int = 0
) -> Call[ExperimentList]:
    """Comparisons of versions, newest first, all or those that name `version` and `other`; and the gate's newest evidence."""
    return get("/experiments", ExperimentList, version=version, other=other, limit=limit, offset=offset)


def drift() -> Call[DriftAnswer]:
    """The newest drift report of each live version."""
    return get("/monitoring/drift", DriftAnswer)


def drift_reports(*, version: str | None = None, limit: int = 30) -> Call[DriftReportList]:
    """Drift reports over time, newest first, in short."""
    return get("/monitoring/drift-reports", DriftReportList, version=version, limit=limit)


def drift_report(report_id: str) -> Call[DriftReportAnswer]:
    """One drift report, with the distributions behind it."""
    return get(f"/monitoring/drift-reports/{quote(report_id, safe='')}", DriftReportAnswer)


def deployments() -> Call[DeploymentsAnswer]:
    """Deployments, newest first."""
    return get("/monitoring/deployments", DeploymentsAnswer)


def alerts(*, limit: int = 50, offset: int = 0) -> Call[AlertsAnswer]:
    """Incidents, what is open first."""
    return get("/monitoring/alerts", AlertsAnswer, limit=limit, offset=offset)


def service(*, window: Window = "24h") -> Call[ServiceReport]:
    """How serving did over a window."""
    return get("/monitoring/service", ServiceReport, window=window)


def sources() -> Call[SourceList]:
    """How the sources of news do."""
    return get("/monitoring/sources", SourceList)


def quality() -> Call[QualityReport]:
    """What is refused, and how fresh everything is."""
    return get("/monitoring/quality", QualityReport)


def decisions(*, limit: int = 50, offset: int = 0) -> Call[DecisionList]:
    """Decisions whether to train again, newest first."""
    return get("/monitoring/decisions", DecisionList, limit=limit, offset=offset)


def runs(*, limit: int = 50, offset: int = 0) -> Call[RunList]:
    """Runs of the graph, newest first."""
    return get("/monitoring/runs", RunList, limit=limit, offset=offset)


def about() -> Call[About]:
    """What this platform is and allows."""
    return get("/about", About)


def health() -> Call[Health]:
    """Whether predictions can be answered now; also where they cannot (`status`)."""
    return Call(method="GET", path="/health", kind=Health, also=503)


def alive() -> Call[Alive]:
    """Whether the process runs."""
    return get("/health/live", Alive)


def metrics() -> Call[str]:
    """The text format of Prometheus."""
    return get("/metrics", str)
