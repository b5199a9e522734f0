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
        unit: a hash of what the experiment assigned to `arm`; None where no experiment ran.
        traffic: what the request said it is for; only what says nothing is a user's question and counts in monitoring.
        instead_of: the version in whose place it answered, which was too busy, too slow, or failed.
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
    unit: str | None = None
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
    degraded_reason: str | None = None
    path: str | None = None
    instead_of: str | None = None
    latency_ms: dict[str, float]
    instance: str


class ShadowRecord(msgspec.Struct, frozen=True, kw_only=True, tag="shadow"):
    """What the version in shadow answered to the request of `prediction_id`; nobody was served it.

    Attributes:
        id: `experiments.assignment.shadow_answer_id`, so that a replay never answers the same request again.
        probabilities: negative, neutral, positive; None where it failed, and `failure` says why.
        latency_ms: of the model alone, in milliseconds.
    """

    id: str
    prediction_id: str
    experiment: str
    phase: int
    model_version: str
    manifest_digest: str
    answered_at: datetime
    probabilities: list[float] | None
    failure: str | None = None
    latency_ms: float
    made_by: str = "serving"


class RollbackRecord(msgspec.Struct, frozen=True, kw_only=True, tag="rollback"):
    """A rollback by hand that answers here and that the database does not have yet.

    Attributes:
        id: of the whole rollback; `requests` has the id of each family's request.
        leaves, restores: revisions of deployments.
        requests: family -> id; `versions`: family -> the version that comes back.
        before, default_family_before: what answered until then.
    """

    id: str
    decided_at: datetime
    actor: str
    reason: str
    leaves: int
    restores: int
    requests: dict[str, str]
    versions: dict[str, str]
    default_family: str
    before: dict[str, str]
    default_family_before: str


class ClaimedVoice(msgspec.Struct, frozen=True):
    """A key that could not be checked when it was presented: its id and, instead of its secret, the hash that the table of keys has."""

    key_id: str
    secret_hash: str
    client_id: str | None
    at: datetime


class FeedbackRecord(msgspec.Struct, frozen=True, kw_only=True, tag="feedback"):
    """What a person said of one prediction.

    Attributes:
        voice: who speaks, as `voice_of` names them; None for nobody with a valid key.
        claimed: whose voice it is if the key turns out to be valid; the shipper, who has the database, checks it.
    """

    id: str
    prediction_id: str
    label: str | None
    preference: str | None
    utility: float | None
    comment: str | None
    voice: str | None = None
    claimed: ClaimedVoice | None = None
    received_at: datetime


def voice_of(key_id: str, client_id: str | None) -> str:
    """The voice of a key, or of the client that its holder names."""
    return f"{key_id}/{client_id}" if client_id else key_id


def new_record_id(timestamp_s: float) -> str:
    """A time-ordered UUID of version 7 (RFC 9562), so that rows arrive in the order of their index."""
    value = int(timestamp_s * 1000) << 80 | uuid.uuid4().int & ((1 << 80) - 1)
    value = value & ~(0xF000 << 64) | 0x7000 << 64
    return str(uuid.UUID(int=value & ~(0xC000 << 48) | 0x8000 << 48))
