"""Tags of the registry: `v1.4.0-vader` for a model, `deploy-000042` for a deployment.

The family is parsed apart: to SemVer such a tag is a pre-release, and sorting by it would be wrong. Versions are ordered
within one family only. Any family name parses, so that a new family needs no change here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from sentiment_platform.errors import PermanentError

Change = Literal["patch", "minor", "major"]
"""patch: retrained; minor: features or hyperparameters changed; major: feature schema or labels changed."""

# Clients check the same patterns in JavaScript, which has no \Z and whose digits are 0 to 9: the end is "no character follows".
VERSION_PATTERN = r"^v(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})-([a-z]{1,30})(?![\s\S])"
FAMILY_PATTERN = r"^[a-z]{1,30}(?![\s\S])"
DEPLOYMENT_PATTERN = r"^deploy-([0-9]{6})(?![\s\S])"

VersionName = Annotated[str, msgspec.Meta(pattern=VERSION_PATTERN)]
FamilyName = Annotated[str, msgspec.Meta(pattern=FAMILY_PATTERN)]

_VERSION = re.compile(VERSION_PATTERN)
_DEPLOYMENT = re.compile(DEPLOYMENT_PATTERN)


class TagRefused(PermanentError):
    """A tag is not of the form that its use needs."""


@dataclass(frozen=True)
class VersionTag:
    """A model version, such as `v1.4.0-vader`."""

    family: str
    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, tag: str) -> "VersionTag":
        """Read a tag; raises TagRefused for anything else, leading zeros included."""
        match = _VERSION.match(tag)
        if match is None:
            raise TagRefused(f"{tag!r} is not a model version.", remedy="Versions look like `v1.4.0-family`.")
        return cls(match[4], int(match[1]), int(match[2]), int(match[3]))

    @classmethod
    def find(cls, tag: str) -> "VersionTag | None":
        """The version that `tag` names, or None: other releases may live in the same repository."""
        return cls.parse(tag) if _VERSION.match(tag) else None

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}-{self.family}"

    def __lt__(self, other: "VersionTag") -> bool:
        if self.family != other.family:
            raise TagRefused(f"{self} and {other} have no order.", remedy="Compare versions of one family only.")
        return (self.major, self.minor, self.patch) < (other.major, other.minor, other.patch)

    def raised(self, change: Change) -> "VersionTag":
        """The version that follows this one after `change`."""
        if change == "major":
            return VersionTag(self.family, self.major + 1, 0, 0)
        if change == "minor":
            return VersionTag(self.family, self.major, self.minor + 1, 0)
        return VersionTag(self.family, self.major, self.minor, self.patch + 1)


def next_version(existing: Iterable[str], family: str, change: Change) -> VersionTag:
    """The version after the highest of `family` among the tags `existing`; `v1.0.0` for a family's first.

    Tags of other families and other kinds are passed over.
    """
    known = [version for tag in existing if (version := VersionTag.find(tag)) and version.family == family]
    if not known:
        return VersionTag.parse(f"v1.0.0-{family}")
    return max(known, key=lambda version: (version.major, version.minor, version.patch)).raised(change)


@dataclass(frozen=True, order=True)
class DeploymentTag:
    """The tag of a deployment, such as `deploy-000042`; revisions count from 1."""

    revision: int

    def __post_init__(self) -> None:
        if not 1 <= self.revision <= 999_999:
            raise TagRefused(f"Revision {self.revision} is out of range.", remedy="Revisions run from 1 to 999999.")

    @classmethod
    def parse(cls, tag: str) -> "DeploymentTag":
        """Read a tag; raises TagRefused for anything else."""
        match = _DEPLOYMENT.match(tag)
        if match is None:
            raise TagRefused(f"{tag!r} is not a deployment.", remedy="Deployments look like `deploy-000042`.")
        return cls(int(match[1]))

    @classmethod
    def find(cls, tag: str) -> "DeploymentTag | None":
        """The deployment that `tag` names, or None: other releases may live in the same repository."""
        return cls.parse(tag) if _DEPLOYMENT.match(tag) and tag != "deploy-000000" else None

    def __str__(self) -> str:
        return f"deploy-{self.revision:06d}"
