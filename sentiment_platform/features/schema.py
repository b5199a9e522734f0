"""The feature schemas as data: name, type, range, null policy and meaning of every value in a vector.

A model pins a schema by name and hash; changing anything here changes the hash, so a changed schema gets a new name instead.
How the values are computed stands in `compute`; where they are kept in `online` and `store.features`.
"""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Literal

from sentiment_platform.errors import PermanentError

FeatureGroup = Literal["lexical", "vader", "context", "time"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One value of a vector.

    Attributes:
        nullable: whether the value may be missing (NULL in PostgreSQL, NaN in arrays); a missing value is masked by the head.
        low, high: smallest and largest value that can be right, inclusive.
    """

    name: str
    group: FeatureGroup
    low: float
    high: float
    nullable: bool
    doc: str


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """An ordered set of features under a version name."""

    version: str
    features: tuple[Feature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in the order of the vector."""
        return tuple(feature.name for feature in self.features)

    @property
    def hash(self) -> str:
        """SHA-256 over the whole definition, 64 hexadecimal digits."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

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
            if value is None:
                if feature.nullable:
                    continue
            elif feature.low <= value <= feature.high:
                continue
            raise PermanentError(
                f"Feature {feature.name} of schema {self.version} cannot be {value}.",
                remedy=f"It lies between {feature.low:g} and {feature.high:g}{' or is missing' if feature.nullable else ''}.",
            )


_MANY = 1e6

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

SCHEMAS: dict[str, FeatureSchema] = {V1.version: V1}
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
