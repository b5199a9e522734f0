"""The feature schemas as data: name, type, range, null policy and meaning of every value in a vector.

A model pins a schema by name and hash; changing anything here changes the hash, so a changed schema gets a new name instead.
How the values are computed stands in `compute`; where they are kept in `online` and `store.vectors`.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

from sentiment_platform.entities import ContextKind
from sentiment_platform.errors import PermanentError

FeatureGroup = Literal["lexical", "vader", "context", "time"]
FeatureType = Literal["float64"]
_HASHED = ("name", "group", "low", "high", "nullable", "doc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One value of a vector.

    Attributes:
        nullable: whether the value may be missing (NULL in PostgreSQL, NaN in arrays); a missing value is masked by the head.
        low, high: smallest and largest value that can be right, inclusive.
        type: how it is stored: `double precision` in PostgreSQL, a number in Redis, float64 in arrays.
    """

    name: str
    group: FeatureGroup
    low: float
    high: float
    nullable: bool = False
    doc: str
    type: FeatureType = "float64"

    def allows(self, value: float | None) -> bool:
        """Whether `value` can be right: in range, or missing where it may be. NaN never is."""
        return self.nullable if value is None else self.low <= value <= self.high


@dataclass(frozen=True)
class FeatureSchema:
    """An ordered set of features under a version name."""

    version: str
    features: tuple[Feature, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Feature names in the order of the vector."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the whole definition, 64 hexadecimal digits.

        The one type that there is, is left out: a second one must enter it without renaming what is published.
        """
        definition = {
            "version": self.version,
            "features": [{name: getattr(feature, name) for name in _HASHED} for feature in self.features],
        }
        return sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()

    @property
    def function(self) -> str:
        """Where the values come from: the function of `features.compute` that this version calls."""
        return f"sentiment_platform.features.compute.compute_{self.version}"

    def names_of(self, entity: str) -> tuple[str, ...]:
        """The context values that are known by this kind of entity (`story`, `ticker`, `source`), in the order of the vector."""
        return tuple(name for name in self.names if CONTEXT_ENTITY.get(name) == entity)

    def validate(self, values: tuple[float | None, ...]) -> None:
        """Refuse a vector of the wrong length, a missing value where none may be missing, or one out of range.

        Raises:
            PermanentError: names the feature and the value.
        """
        if len(values) != len(self.features):
            raise PermanentError(
                f"A vector of {len(values)} values is not of schema {self.version} ({len(self.features)} features).",
                remedy="Compute it with features.compute of the same schema version.",
            )
        for feature, value in zip(self.features, values, strict=True):
            if feature.allows(value):
                continue
            raise PermanentError(
                f"Feature {feature.name} of schema {self.version} cannot be {value}.",
                remedy=f"It lies between {feature.low:g} and {feature.high:g}{' or is missing' if feature.nullable else ''}.",
            )


_MANY = 1e6
LARGEST_RETURN = 10
"""Closes that differ by more are a split that the prices were not adjusted for, or an error."""

V1 = FeatureSchema(
    "v1",
    (
        Feature(name="word_count", group="lexical", low=0, high=_MANY, doc="Words in the text."),
        Feature(name="mean_word_length", group="lexical", low=0, high=_MANY, doc="Mean length of a word in characters."),
        Feature(name="number_count", group="lexical", low=0, high=_MANY, doc="Numbers in the text."),
        Feature(name="percent_count", group="lexical", low=0, high=_MANY, doc="Percent signs and words for percent."),
        Feature(name="capital_share", group="lexical", low=0, high=1, doc="Share of words written in capitals."),
        Feature(name="emphasis_count", group="lexical", low=0, high=_MANY, doc="Exclamation and question marks."),
        Feature(name="negation_count", group="lexical", low=0, high=_MANY, doc="Negating words."),
        Feature(name="vader_compound", group="vader", low=-1, high=1, doc="Compound score of the stock lexicon."),
        Feature(name="vader_positive", group="vader", low=0, high=1, doc="Positive share of the stock lexicon."),
        Feature(name="vader_negative", group="vader", low=0, high=1, doc="Negative share of the stock lexicon."),
        Feature(
            name="story_outlets",
            group="context",
            low=1,
            high=_MANY,
            nullable=True,
            doc="Outlets that had carried the story when it was available, this one included.",
        ),
        Feature(
            name="ticker_articles_1d",
            group="context",
            low=0,
            high=_MANY,
            nullable=True,
            doc="Other articles on the busiest of its tickers in the 24 hours before.",
        ),
        Feature(
            name="source_articles_7d",
            group="context",
            low=0,
            high=_MANY,
            nullable=True,
            doc="Other articles of the same outlet in the 7 days before.",
        ),
        Feature(
            name="hour_utc", group="time", low=0, high=24, nullable=True, doc="Hour of publication in UTC, with its fraction."
        ),
        Feature(name="weekday", group="time", low=0, high=6, nullable=True, doc="Day of publication in UTC, Monday is 0."),
    ),
)

V2 = FeatureSchema(
    "v2",
    (
        *V1.features,
        Feature(
            name="ticker_sentiment_1d",
            group="context",
            low=-1,
            high=1,
            nullable=True,
            doc="Mean stock-lexicon compound of the headlines on its busiest ticker in the 24 hours before.",
        ),
        Feature(
            name="ticker_sentiment_7d",
            group="context",
            low=-1,
            high=1,
            nullable=True,
            doc="The same over 7 days, where a headline one day older than the newest counts half.",
        ),
        Feature(
            name="ticker_volume_surprise",
            group="context",
            low=-20,
            high=20,
            nullable=True,
            doc="Logarithm of articles on that ticker in the 24 hours before, plus 1, over their daily mean in the 7 days before those, plus 1.",
        ),
        Feature(
            name="source_reliability",
            group="context",
            low=0,
            high=1,
            nullable=True,
            doc="Share of the outlet's items in the 7 days before that were neither refused by the contract nor copies of another outlet's story.",
        ),
        Feature(
            name="ticker_return_1d",
            group="context",
            low=-1,
            high=LARGEST_RETURN,
            nullable=True,
            doc="Last known close of that ticker over the close before, less 1.",
        ),
        Feature(
            name="ticker_return_5d",
            group="context",
            low=-1,
            high=LARGEST_RETURN,
            nullable=True,
            doc="Last known close of that ticker over the close 5 sessions before, less 1.",
        ),
        Feature(
            name="ticker_volatility_20d",
            group="context",
            low=0,
            high=10,
            nullable=True,
            doc="Standard deviation of the logarithmic returns of its last 20 known sessions, not annualised.",
        ),
    ),
)

CONTEXT_ENTITY: dict[str, ContextKind] = {
    "story_outlets": "story",
    "source_articles_7d": "source",
    "source_reliability": "source",
    **{name: "ticker" for name in V2.names if name.startswith("ticker_")},
}
"""Context feature -> the kind of entity under which a request finds it online."""

SCHEMAS: dict[str, FeatureSchema] = {V1.version: V1, V2.version: V2}
DEFAULT_SCHEMA = V1


def schema(version: str) -> FeatureSchema:
    """The schema of that name.

    Raises:
        PermanentError: this build does not know it.
    """
    try:
        return SCHEMAS[version]
    except KeyError:
        raise PermanentError(
            f"Feature schema {version!r} is unknown to this build.",
            remedy=f"It knows {', '.join(sorted(SCHEMAS))}: upgrade, or use one of these.",
        ) from None


def active_schemas(versions: str) -> tuple[FeatureSchema, ...]:
    """The schemas that a setting such as `v1,v2` names, in its order.

    Raises:
        PermanentError: one of them is unknown, or the default schema, which training uses, is not among them.
    """
    wanted = tuple(dict.fromkeys(name for part in versions.split(",") if (name := part.strip())))
    if DEFAULT_SCHEMA.version not in wanted:
        raise PermanentError(
            f"Feature schemas {versions!r} leave out {DEFAULT_SCHEMA.version}.",
            remedy=f"Models are trained on {DEFAULT_SCHEMA.version}: put it into SENTIMENT_FEATURE_SCHEMAS.",
        )
    return tuple(schema(version) for version in wanted)
