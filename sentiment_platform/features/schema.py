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


@dataclass(frozen=True, slots=True)
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
    nullable: bool
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
        Feature("word_count", "lexical", 0, _MANY, False, "Words in the text."),
        Feature("mean_word_length", "lexical", 0, _MANY, False, "Mean length of a word in characters."),
        Feature("number_count", "lexical", 0, _MANY, False, "Numbers in the text."),
        Feature("percent_count", "lexical", 0, _MANY, False, "Percent signs and words for percent."),
        Feature("capital_share", "lexical", 0, 1, False, "Share of words written in capitals."),
        Feature("emphasis_count", "lexical", 0, _MANY, False, "Exclamation and question marks."),
        Feature("negation_count", "lexical", 0, _MANY, False, "Negating words."),
        Feature("vader_compound", "vader", -1, 1, False, "Compound score of the stock lexicon."),
        Feature("vader_positive", "vader", 0, 1, False, "Positive share of the stock lexicon."),
        Feature("vader_negative", "vader", 0, 1, False, "Negative share of the stock lexicon."),
        Feature(
            "story_outlets",
            "context",
            1,
            _MANY,
            True,
            "Outlets that had carried the story when it was available, this one included.",
        ),
        Feature(
            "ticker_articles_1d",
            "context",
            0,
            _MANY,
            True,
            "Other articles on the busiest of its tickers in the 24 hours before.",
        ),
        Feature("source_articles_7d", "context", 0, _MANY, True, "Other articles of the same outlet in the 7 days before."),
        Feature("hour_utc", "time", 0, 24, True, "Hour of publication in UTC, with its fraction."),
        Feature("weekday", "time", 0, 6, True, "Day of publication in UTC, Monday is 0."),
    ),
)

V2 = FeatureSchema(
    "v2",
    (
        *V1.features,
        Feature(
            "ticker_sentiment_1d",
            "context",
            -1,
            1,
            True,
            "Mean stock-lexicon compound of the headlines on its busiest ticker in the 24 hours before.",
        ),
        Feature(
            "ticker_sentiment_7d",
            "context",
            -1,
            1,
            True,
            "The same over 7 days, where a headline one day older than the newest counts half.",
        ),
        Feature(
            "ticker_volume_surprise",
            "context",
            -20,
            20,
            True,
            "Logarithm of articles on that ticker in the 24 hours before, plus 1, over their daily mean in the 7 days before those, plus 1.",
        ),
        Feature(
            "source_reliability",
            "context",
            0,
            1,
            True,
            "Share of the outlet's items in the 7 days before that were neither refused by the contract nor copies of another outlet's story.",
        ),
        Feature(
            "ticker_return_1d",
            "context",
            -1,
            LARGEST_RETURN,
            True,
            "Last known close of that ticker over the close before, less 1.",
        ),
        Feature(
            "ticker_return_5d",
            "context",
            -1,
            LARGEST_RETURN,
            True,
            "Last known close of that ticker over the close 5 sessions before, less 1.",
        ),
        Feature(
            "ticker_volatility_20d",
            "context",
            0,
            10,
            True,
            "Standard deviation of the logarithmic returns of its last 20 known sessions, not annualised.",
        ),
    ),
)

CONTEXT_ENTITY: dict[str, ContextKind] = {
    "story_outlets": "story",
    "ticker_articles_1d": "ticker",
    "source_articles_7d": "source",
    "ticker_sentiment_1d": "ticker",
    "ticker_sentiment_7d": "ticker",
    "ticker_volume_surprise": "ticker",
    "source_reliability": "source",
    "ticker_return_1d": "ticker",
    "ticker_return_5d": "ticker",
    "ticker_volatility_20d": "ticker",
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
