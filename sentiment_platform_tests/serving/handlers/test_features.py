from sentiment_platform.features.schema import SCHEMAS
from sentiment_platform_tests.serving.running import ServingProcess


def test_a_feature_schema_is_described_as_it_is_computed_and_by_whom_it_is_used(answering: ServingProcess) -> None:
    for version, schema in SCHEMAS.items():
        shown = answering.client.get(f"/features/{version}").json()
        assert (shown["version"], shown["hash"]) == (version, schema.hash)
        assert [feature["name"] for feature in shown["features"]] == list(schema.names)
        assert shown["used_by"] == (["v1.0.0-vader"] if version == "v1" else [])
    first = answering.client.get("/features/v1").json()["features"][0]
    assert first == {
        "name": "word_count",
        "group": "lexical",
        "type": "float64",
        "low": 0,
        "high": 1e6,
        "nullable": False,
        "doc": "Words in the text.",
    }


def test_an_unknown_feature_schema_is_a_404_that_names_those_that_exist(answering: ServingProcess) -> None:
    reply = answering.client.get("/features/v9")
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["code"] == "unknown_feature_schema"
    assert "v1, v2" in reply.json()["detail"]
