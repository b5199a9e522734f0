import math
from dataclasses import replace

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import COMPUTE
from sentiment_platform.features.schema import DEFAULT_SCHEMA, SCHEMAS, V1, schema

VALID = (7.0, 4.2, 1.0, 0.0, 0.1, 0.0, 0.0, -0.4, 0.0, 0.3, 2.0, 5.0, None, 13.5, 6.0)


def test_schema_v1_has_fifteen_features_with_different_names() -> None:
    assert len(V1.features) == len(set(V1.names)) == 15
    assert all(feature.doc.endswith(".") and feature.low < feature.high for feature in V1.features)


def test_schema_v1_is_what_published_models_pinned() -> None:
    """Models carry this hash. Whoever changes the schema makes a v2 instead, and leaves this test as it is."""
    assert V1.hash == "6da7cddba4e11e77cca231ef7204652271294f3b2933358d24c778e426f3330c"


def test_any_change_of_a_schema_changes_its_hash() -> None:
    first = V1.features[0]
    changed = [
        replace(V1, version="v2"),
        replace(V1, features=V1.features[1:]),
        replace(V1, features=(V1.features[1], first, *V1.features[2:])),
        *(
            replace(V1, features=(replace(first, **change), *V1.features[1:]))
            for change in ({"name": "x"}, {"low": -1}, {"high": 9}, {"nullable": True}, {"doc": "Other."}, {"group": "time"})
        ),
    ]
    assert len({V1.hash, *(other.hash for other in changed)}) == len(changed) + 1


def test_every_schema_has_a_function_that_computes_it() -> None:
    assert set(COMPUTE) == set(SCHEMAS)
    for version, known in SCHEMAS.items():
        assert schema(version) is known
        known.validate(COMPUTE[version]("Orders rose."))
    assert schema(DEFAULT_SCHEMA.version) is DEFAULT_SCHEMA


def test_an_unknown_schema_is_refused_with_those_that_exist() -> None:
    with pytest.raises(PermanentError, match=r"'v0' is unknown.*v1"):
        schema("v0")


@pytest.mark.parametrize(
    ("position", "value", "named"),
    [
        (0, None, "word_count"),
        (0, -1.0, "word_count"),
        (4, 1.01, "capital_share"),
        (7, math.nan, "vader_compound"),
        (7, -1.0001, "vader_compound"),
        (10, 0.0, "story_outlets"),
        (11, math.inf, "ticker_articles_1d"),
        (14, 7.0, "weekday"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(position: int, value: float | None, named: str) -> None:
    V1.validate(VALID)
    wrong = (*VALID[:position], value, *VALID[position + 1 :])
    with pytest.raises(PermanentError, match=f"Feature {named} of schema v1"):
        V1.validate(wrong)


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(PermanentError, match="14 values"):
        V1.validate(VALID[:-1])
