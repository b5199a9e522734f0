"""What is live at one moment. A request takes the snapshot once and answers from it, whatever is swapped in meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sentiment_platform.errors import ConflictError, TransientError
from sentiment_platform.registry.deployment import Deployment
from serving.live.loading import LoadedVersion
from serving.live.selections import Selection, StaleRevision

Content = tuple[dict[str, str], str]
"""Family -> version, and the default family."""


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a version that shall answer beside the champions is not loaded here; `final`: it is not tried again."""

    why: str
    final: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Beside:
    """Versions beside the champions.

    Attributes:
        arms: arm of the experiment -> its version, of those that are loaded here.
        shadow: the version in shadow, if it is loaded here.
        absent: version -> why it is not.
    """

    arms: Mapping[str, LoadedVersion] = field(default_factory=dict[str, LoadedVersion])
    shadow: LoadedVersion | None = None
    absent: Mapping[str, Absent] = field(default_factory=dict[str, Absent])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A version that was unloaded so that its successor has room, until that one answers; another family answers in its place."""

    family: str
    version: str
    manifest_digest: str
    was_default: bool
    since: datetime
    why: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a snapshot says, without its models: whoever waits for an exchange must not hold what is unloaded for it."""

    deployment: Deployment
    versions: dict[str, str]
    default_family: str
    selections: tuple[Selection, ...]

    @property
    def content(self) -> Content:
        """What answers."""
        return self.versions, self.default_family

    @property
    def decided(self) -> tuple[Deployment, tuple[Selection, ...]]:
        """What it follows from, also while a gap is bridged."""
        return self.deployment, self.selections

    def with_selections(self, selections: Sequence[Selection]) -> "Facts":
        """What it says once `selections`, and no others, are on top of the deployment; itself where they are."""
        if tuple(selections) == self.selections:
            return self
        defaults = [one.default_family for one in selections if one.default_family is not None]
        return Facts(
            deployment=self.deployment,
            versions=self.deployment.versions() | {one.family: one.version for one in selections},
            default_family=(defaults or [self.deployment.default_family])[-1],
            selections=tuple(selections),
        )

    def is_changed_by(self, document: Deployment) -> bool:
        """Whether its champions and default family would answer otherwise than what does now."""
        return bool(document.versions().items() - self.versions.items()) or document.default_family != self.default_family


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """The deployment in force, the selections on top of it, and for each family its model and since when that answers here."""

    deployment: Deployment
    models: Mapping[str, LoadedVersion]
    since: Mapping[str, datetime]
    default_family: str
    selections: tuple[Selection, ...] = ()
    beside: Beside = field(default_factory=Beside)
    gap: Gap | None = None

    @property
    def versions(self) -> dict[str, str]:
        """family -> version."""
        return {family: model.version for family, model in self.models.items()}

    @property
    def facts(self) -> Facts:
        """Without the models."""
        return Facts(
            deployment=self.deployment,
            versions=self.versions,
            default_family=self.default_family,
            selections=self.selections,
        )

    @property
    def loaded(self) -> dict[str, LoadedVersion]:
        """Manifest digest -> version, of all that is loaded here; one that has two roles is there once."""
        shadow = self.beside.shadow
        every = (*self.models.values(), *self.beside.arms.values(), *([shadow] if shadow else ()))
        return {one.manifest_digest: one for one in every}


def as_expected(live: Facts | None, family: str, version: str | None, revision: int | None) -> Facts:
    """What is live, if it is what a person expects of `family`, and of the deployment; None expects anything.

    Raises:
        TransientError: nothing is live. StaleRevision, ConflictError: it is something else.
    """
    if live is None:
        raise TransientError("Nothing is live yet.", remedy="Wait for the first deployment.")
    if revision is not None and revision != live.deployment.revision:
        raise StaleRevision(
            f"{live.deployment.tag} is in force here, not revision {revision}.",
            remedy="Look at GET /models/status and decide again.",
        )
    running = live.versions.get(family)
    if version is not None and version != running:
        raise ConflictError(
            f"{running or 'No version'} of {family} is live, not {version}.",
            remedy="Look at GET /models/status and decide again.",
        )
    return live
