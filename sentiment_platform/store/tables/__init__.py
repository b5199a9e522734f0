"""All tables of schema `platform`, one module a subject. Importing this package registers every table with `Base.metadata`."""

from sentiment_platform.store.tables.alerts import AlertRow
from sentiment_platform.store.tables.base import SCHEMA, Base
from sentiment_platform.store.tables.features import FeatureRevision, ProcessedFeatures
from sentiment_platform.store.tables.labels import LabelImport, LabelRow, LabelSetRow, TrainingExample, TrainingSet
from sentiment_platform.store.tables.market import MarketPrice, Outcome, PriceAnswer, PriceQuestion, PriceRevision
from sentiment_platform.store.tables.models import (
    DeploymentRow,
    Experiment,
    GateEvidenceRow,
    HoldoutPrediction,
    ModelPerformance,
    ModelVersion,
    SelectionRequest,
)
from sentiment_platform.store.tables.monitoring import DriftDistribution, DriftMetric, RetrainDecision
from sentiment_platform.store.tables.news import (
    ArticleRevision,
    CollectionRun,
    Quarantine,
    RawData,
    Sighting,
    StoryCluster,
)
from sentiment_platform.store.tables.operations import ApiKey, AuditRow, FeatureFlag, Lease
from sentiment_platform.store.tables.predictions import AuditedPrediction, Feedback, Prediction, ShadowAnswer
from sentiment_platform.store.tables.sentiment import ArticleSentiment
from sentiment_platform.store.tables.sources import SourceState

__all__ = [
    "SCHEMA",
    "AlertRow",
    "ApiKey",
    "ArticleRevision",
    "ArticleSentiment",
    "AuditRow",
    "AuditedPrediction",
    "Base",
    "CollectionRun",
    "DeploymentRow",
    "DriftDistribution",
    "DriftMetric",
    "Experiment",
    "FeatureFlag",
    "FeatureRevision",
    "Feedback",
    "GateEvidenceRow",
    "HoldoutPrediction",
    "LabelImport",
    "LabelRow",
    "LabelSetRow",
    "Lease",
    "MarketPrice",
    "ModelPerformance",
    "ModelVersion",
    "Outcome",
    "Prediction",
    "PriceAnswer",
    "PriceQuestion",
    "PriceRevision",
    "ProcessedFeatures",
    "Quarantine",
    "RawData",
    "RetrainDecision",
    "SelectionRequest",
    "ShadowAnswer",
    "Sighting",
    "SourceState",
    "StoryCluster",
    "TrainingExample",
    "TrainingSet",
]
