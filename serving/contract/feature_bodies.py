"""Body of GET /features/{version}: a feature schema as data."""

from msgspec import Struct


class FeatureDescription(Struct, frozen=True, kw_only=True):
    """One value of a feature vector: what it is, the range it lies in, and whether it may be missing."""

    name: str
    group: str
    type: str
    low: float
    high: float
    nullable: bool
    doc: str


class FeatureSchemaAnswer(Struct, frozen=True):
    """A feature schema as data; a model version pins it by name and `hash`. `used_by` names the live versions that do."""

    version: str
    hash: str
    features: list[FeatureDescription]
    used_by: list[str]
