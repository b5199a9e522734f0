"""Events of GET /events: what the platform tells, and what the stream says of itself. `type` tells them apart."""

from msgspec import Struct

from sentiment_platform.events import (
    AlertOpened,
    AlertResolved,
    ArticleScored,
    DeploymentLive,
    DeploymentPublished,
    DriftReported,
    RetrainDecided,
)
from serving.contract.values import Moment


class StreamState(Struct, frozen=True, kw_only=True, tag="stream_state"):
    """Whether events can come: the first event of a stream, and again whenever it changes. `message` says what is missing."""

    at: Moment
    connected: bool
    message: str | None


PublicEvent = (
    StreamState
    | DeploymentLive
    | DeploymentPublished
    | ArticleScored
    | AlertOpened
    | AlertResolved
    | DriftReported
    | RetrainDecided
)
