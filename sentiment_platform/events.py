"""What happens in public, as it happens: one struct for each kind of event, and how it is told.

Events go into one short stream in Redis, and serving's GET /events passes them on. They are told, not recorded: what they speak of stands
in the database, and whoever tells one never fails or waits long because of it. Nothing heavy is imported, so the graph and serving share it.
"""

import logging
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Annotated

import msgspec

from sentiment_platform.entities import EVENTS_KEY
from sentiment_platform.text.sentiment import Label

FIELD = b"event"
KEPT = 1000
KEPT_S = 86_400
MOST_AT_ONCE = 200
TIMEOUT_S = 0.5
logger = logging.getLogger(__name__)

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class DeploymentLive(msgspec.Struct, frozen=True, kw_only=True, tag="deployment_live"):
    """A serving process answers with these versions (family -> version) from now on. `selected`: a person's choice is among them."""

    at: Moment
    revision: int
    default_family: str
    versions: dict[str, str]
    selected: bool


class DeploymentPublished(msgspec.Struct, frozen=True, kw_only=True, tag="deployment_published"):
    """A deployment was signed and published; serving takes it up at its next look at the registry."""

    at: Moment
    revision: int
    default_family: str
    versions: dict[str, str]
    rule: str
    reason: str


class ArticleScored(msgspec.Struct, frozen=True, kw_only=True, tag="article_scored"):
    """An article has a score of a version; `headline` is text of others and no markup."""

    at: Moment
    article_id: str
    headline: str
    symbols: list[str]
    available_at: Moment
    version: str
    label: Label
    sentiment: Annotated[float, msgspec.Meta(ge=-1, le=1)]


class AlertOpened(msgspec.Struct, frozen=True, kw_only=True, tag="alert_opened"):
    """An incident that somebody must hear of."""

    at: Moment
    id: str
    category: str = msgspec.field(name="class")
    severity: str
    source: str
    summary: str


class AlertResolved(msgspec.Struct, frozen=True, kw_only=True, tag="alert_resolved"):
    """An incident is over."""

    at: Moment
    id: str
    category: str = msgspec.field(name="class")
    severity: str
    source: str
    summary: str


class DriftReported(msgspec.Struct, frozen=True, kw_only=True, tag="drift_report"):
    """A new drift report on the version that is watched; `drifted` names the features and scores that moved."""

    at: Moment
    report_id: str
    version: str
    severity: str
    drifted: list[str]
    texts: int


class RetrainDecided(msgspec.Struct, frozen=True, kw_only=True, tag="retrain_decision"):
    """It was decided to train again, or not to, and why."""

    at: Moment
    decision_id: str
    retrain: bool
    reason: str


Event = DeploymentLive | DeploymentPublished | ArticleScored | AlertOpened | AlertResolved | DriftReported | RetrainDecided


def publish(redis_url: str, events: Sequence[Event]) -> int:
    """Tell what happened, oldest first: the newest `MOST_AT_ONCE` of `events`. Returns how many were told.

    Best effort: without Redis ("" or away, at most a second) it says so in the log and returns 0.
    """
    told = events[-MOST_AT_ONCE:]
    if not redis_url or not told:
        return 0
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
    from redis.retry import Retry

    try:
        client = Redis.from_url(
            redis_url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        with closing(client), client.pipeline(transaction=False) as pipeline:
            for event in told:
                pipeline.xadd(EVENTS_KEY, {FIELD: msgspec.json.encode(event)}, maxlen=KEPT, approximate=True)
            pipeline.expire(EVENTS_KEY, KEPT_S)
            pipeline.execute()
    except (RedisError, OSError, ValueError) as error:
        logger.warning("%d events were not told: %s: %s", len(told), type(error).__name__, error)
        return 0
    return len(told)


def kind_of(event: msgspec.Struct) -> str:
    """The word for its kind, such as `alert_opened`."""
    return str(type(event).__struct_config__.tag)
