"""The deployment document: what serving must run, why, and who said so.

One immutable document a revision, signed with the operator key; each names the digest of the one before (a hash chain).
Belongs here: the document and its own consistency. Whether the models it names exist, reader and writer check.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from sentiment_platform.registry.documents import Line, Prose, Sha256, canonical_json, digest
from sentiment_platform.registry.manifest import require_utc
from sentiment_platform.registry.versions import DeploymentTag, FamilyName, VersionName, VersionTag

DEPLOYMENT = "deployment.json"
DEPLOYMENT_SIGNATURE = "deployment.json.sig"

AUTO_ROLLBACK = "auto_rollback:"
"""Begins the actor of a rollback that nobody asked for; the metric follows."""

Rule = Literal["gate", "bootstrap", "manual", "rollback"]
Revision = Annotated[int, msgspec.Meta(ge=1, le=999_999)]


class Champion(msgspec.Struct, frozen=True):
    """The version of a family that answers, with the sha256 of its manifest."""

    version: VersionName
    manifest_digest: Sha256


class Arm(msgspec.Struct, frozen=True):
    """One arm of an experiment; `weight` is its share of the traffic."""

    version: VersionName
    manifest_digest: Sha256
    weight: Annotated[float, msgspec.Meta(gt=0, le=1)]


class Experiment(msgspec.Struct, frozen=True):
    """Versions that share the requests among them. A change of weights begins a new phase."""

    name: Line
    phase: Annotated[int, msgspec.Meta(ge=1)]
    arms: dict[Line, Arm]

    def __post_init__(self) -> None:
        if len(self.arms) < 2:
            raise ValueError("an experiment has at least two arms")
        total = sum(arm.weight for arm in self.arms.values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the weights of the arms add up to {total}, not 1")


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """A challenger that answers beside the champion `beside` and is never served: a phase of the experiment `name`.

    Attributes:
        share: of the requests that `beside` answers, 0 to 1; `daily_cap`: at most so many a UTC day.
    """

    name: Line
    phase: Annotated[int, msgspec.Meta(ge=1)]
    version: VersionName
    manifest_digest: Sha256
    beside: VersionName
    share: Annotated[float, msgspec.Meta(gt=0, le=1)]
    daily_cap: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]

    def __post_init__(self) -> None:
        if self.version == self.beside:
            raise ValueError(f"{self.version} cannot be its own shadow")


class Evidence(msgspec.Struct, frozen=True):
    """What the decision rests on: the assets and runs that computed it, their figures, and the verdict in words."""

    asset_keys: tuple[Line, ...]
    run_ids: tuple[Line, ...]
    figures: dict[str, Any]
    verdict: Prose


class Previous(msgspec.Struct, frozen=True):
    """The deployment before this one, with the sha256 of its document."""

    revision: Revision
    digest: Sha256


class Deployment(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Revision `revision` of what serving runs. `previous` is the newest that its writer knew, None for the first.

    Numbers may be left out: a tag whose release was deleted is never used again. A reader that does not know `shadow` ignores it, and
    answers as it should: with the champions.
    """

    revision: Revision
    champions: dict[FamilyName, Champion]
    default_family: FamilyName
    experiment: Experiment | None
    evidence: Evidence
    rule: Rule
    actor: Line
    reason: Prose
    created_at: Annotated[datetime, msgspec.Meta(tz=True)]
    previous: Previous | None
    schema_version: Literal[1] = 1
    shadow: Shadow | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        require_utc(self.created_at)
        if (self.previous.revision if self.previous else 0) >= self.revision:
            raise ValueError(f"revision {self.revision} must follow an earlier one")
        if self.default_family not in self.champions:
            raise ValueError(f"the default family {self.default_family} has no champion")
        for family, champion in self.champions.items():
            if VersionTag.parse(champion.version).family != family:
                raise ValueError(f"{champion.version} cannot be the champion of {family}")
        if self.shadow and self.experiment:
            raise ValueError("a version is in shadow before requests are split, not while they are")
        if self.shadow and self.shadow.beside not in self.versions().values():
            raise ValueError(f"{self.shadow.version} is in shadow of {self.shadow.beside}, which is no champion")
        named: dict[str, str] = {}
        for version, manifest_digest in self._pairs():
            if named.setdefault(version, manifest_digest) != manifest_digest:
                raise ValueError(f"{version} is named with two manifests")

    @property
    def tag(self) -> DeploymentTag:
        """Tag of the release that carries this document."""
        return DeploymentTag(self.revision)

    @property
    def by_person(self) -> bool:
        """Whether a person's word put it there, not the gate."""
        return self.rule in ("manual", "rollback")

    @property
    def restores(self) -> int | None:
        """The revision whose content a rollback brought back, alone or (`manual`) with what people chose on top; None for every other."""
        restored = self.evidence.figures.get("restores") if self.by_person else None
        return restored if isinstance(restored, int) and 0 < restored < self.revision else None

    @property
    def sent_back(self) -> str | None:
        """The version that a watch sent back by itself with this rollback (`left` in its figures); None for every other deployment."""
        left = self.evidence.figures.get("left") if self.actor.startswith(AUTO_ROLLBACK) else None
        return left if isinstance(left, str) else None

    @property
    def default_version(self) -> str:
        """The version that answers where nobody names a family."""
        return self.champions[self.default_family].version

    def versions(self) -> dict[str, str]:
        """Family -> version of its champion."""
        return {family: champion.version for family, champion in self.champions.items()}

    def models(self) -> dict[str, str]:
        """Every version that may be served -> sha256 of its manifest: champions first, then arms."""
        return dict(self._served())

    def named_models(self) -> dict[str, str]:
        """Every version that is named -> sha256 of its manifest: those that may be served, then the one in shadow."""
        return dict(self._pairs())

    def only_the_experiment_differs(self, before: "Deployment") -> bool:
        """Whether this document chose nothing but who answers in shadow, or which arms there are."""
        same = (self.champions, self.default_family) == (before.champions, before.default_family)
        return same and (self.shadow, self.experiment) != (before.shadow, before.experiment)

    def as_previous(self) -> Previous:
        """What the next revision must name as its `previous`."""
        return Previous(self.revision, digest(canonical_json(self)))

    def _pairs(self) -> list[tuple[str, str]]:
        return self._served() + ([(self.shadow.version, self.shadow.manifest_digest)] if self.shadow else [])

    def _served(self) -> list[tuple[str, str]]:
        arms = self.experiment.arms.values() if self.experiment else ()
        return [(named.version, named.manifest_digest) for named in (*self.champions.values(), *arms)]
