"""What goes through the journal: one struct for each kind of line, with the columns of its table as fields.

Light on purpose: writing a record needs no database library. The SQL stands in `store.predictions`.
"""

import uuid
from datetime import datetime

import msgspec


class PredictionRecord(msgspec.Struct, frozen=True, kw_only=True, tag="prediction"):
    """One answered prediction.

    Attributes:
        probabilities: negative, neutral, positive.
        features: in the order of `feature_schema`; None where missing.
        supported: whether the text is English that a model can read; what is not counts nowhere.
        traffic: what the request said it is for; only what says nothing is a user's question and counts in monitoring.
        latency_ms: named parts of the time it took, in milliseconds.
    """

    id: str
    predicted_at: datetime
    route: str
    family: str
    model_version: str
    manifest_digest: str
    deployment_revision: int
    experiment: str | None = None
    arm: str | None = None
    text: str
    text_hash: str
    ticker: str | None
    source: str | None
    published_at: datetime | None = None
    feature_schema: str
    features: list[float | None]
    features_hash: str
    feature_status: str
    probabilities: list[float]
    sentiment: float
    confidence: float
    supported: bool = True
    traffic: str | None = None
    cache_hit: bool
    degraded: bool
    latency_ms: dict[str, float]
    instance: str


class FeedbackRecord(msgspec.Struct, frozen=True, kw_only=True, tag="feedback"):
    """What a person said of one prediction."""

    id: str
    prediction_id: str
    label: str | None
    preference: str | None
    utility: float | None
    comment: str | None
    received_at: datetime


def new_record_id(timestamp_s: float) -> str:
    """A time-ordered UUID of version 7 (RFC 9562), so that rows arrive in the order of their index."""
    value = int(timestamp_s * 1000) << 80 | uuid.uuid4().int & ((1 << 80) - 1)
    value = value & ~(0xF000 << 64) | 0x7000 << 64
    return str(uuid.UUID(int=value & ~(0xC000 << 48) | 0x8000 << 48))
