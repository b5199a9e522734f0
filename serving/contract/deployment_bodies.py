"""Body of GET /monitoring/deployments: what was deployed, by whom and on what grounds."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from serving.contract.values import Figures, Moment


class DeployedVersion(Struct, frozen=True):
    """A version that a deployment names, with the sha256 of its manifest."""

    version: str
    manifest_digest: str


class ExperimentArm(Struct, frozen=True):
    """One arm of an experiment; `weight` is its share of the traffic, above 0 up to 1."""

    version: str
    manifest_digest: str
    weight: float


class DeployedExperiment(Struct, frozen=True):
    """An experiment that a deployment runs; a change of weights begins a new phase."""

    name: str
    phase: int
    arms: dict[str, ExperimentArm]


class DeployedShadow(Struct, frozen=True, kw_only=True):
    """A version that answers a `share` of what the champion `beside` answers, at most `daily_cap` a UTC day, and is served to nobody."""

    name: str
    phase: int
    version: str
    manifest_digest: str
    beside: str
    share: float
    daily_cap: int


class DeploymentEvidence(Struct, frozen=True):
    """What the decision rests on: the assets and runs that computed it, their figures, the verdict in words."""

    asset_keys: list[str]
    run_ids: list[str]
    figures: Figures
    verdict: str


class DeploymentShown(Struct, frozen=True, kw_only=True):
    """A published deployment, as its signed document says it."""

    revision: Annotated[int, Meta(ge=1, description="Counts the deployments; each follows the one before.")]
    tag: Annotated[str, Meta(description="The release that carries the signed document.")]
    digest: Annotated[str, Meta(description="The sha256 of the document, in hexadecimal.")]
    default_family: Annotated[str, Meta(description="The family that answers where nobody names one.")]
    champions: Annotated[dict[str, DeployedVersion], Meta(description="Family -> the version that answers.")]
    experiment: DeployedExperiment | None
    shadow: DeployedShadow | None
    evidence: DeploymentEvidence
    rule: Annotated[Literal["gate", "bootstrap", "manual", "rollback"], Meta(description="What decided it.")]
    actor: Annotated[str, Meta(description="Who or what published it.")]
    reason: str
    previous_revision: int | None
    created_at: Annotated[Moment, Meta(description="When the document was made.")]
    published_at: Annotated[Moment, Meta(description="When it was published.")]


class DeploymentsAnswer(Struct, frozen=True):
    """The newest 100 deployments, newest first, read at `as_of`."""

    as_of: Moment
    deployments: list[DeploymentShown]
