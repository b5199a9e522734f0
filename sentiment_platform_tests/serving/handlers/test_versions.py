"""Claims about GET /models and GET /models/{version}: what they show is what was registered, field by field."""

from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import Engine

from sentiment_platform.models.evaluation.technical import TechnicalFigures
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.manifest import FileEntry, Manifest, Metric
from sentiment_platform.store.training_sets import write_training_set
from sentiment_platform.store.versions import get_version, versions_page
from sentiment_platform_tests.registry.examples import manifest_of
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.documented import documented_answer, refuses
from sentiment_platform_tests.serving.publishing import TRAINING_SET, Publisher
from sentiment_platform_tests.versions import register

FIRST, SECOND = "v1.0.0-vader", "v1.0.1-vader"
TECHNICAL = TechnicalFigures(
    processor="a processor", cores=2, n_texts=40, latency_p50_ms=0.1, latency_p95_ms=0.2, texts_per_s=900.0, loaded_mb=5.0
)

MOVED = {"term": "beats", "old_valence": 0.0, "new_valence": 1.5, "old_emphasis": 0.0, "new_emphasis": 0.2, "evidence": 31}


def with_figures(manifest: Manifest) -> Manifest:
    measured = Metric(value=0.71, low=0.68, high=0.74, n=970, dataset="its test part", in_sample=True)
    return msgspec.structs.replace(
        manifest,
        metrics={"macro_f1": measured, "log_loss": measured},
        training_files={"weights.safetensors": FileEntry("ab" * 32, 1000)},
        figures={
            "technical": msgspec.to_builtins(TECHNICAL),
            "confusion": [[3, 1, 0], [0, 2, 1], [1, 0, 4]],
            "of": "a family",
            "terms_moved": {"count": 1, "most": [{**MOVED, "examples": ["an id"]}], "constants": {"but": [0.5, 0.4]}},
        },
    )


def test_before_the_first_training_there_are_no_versions_and_no_card(start_serving: StartServing) -> None:
    serving = start_serving(ready=False)
    serving.wait_until(lambda: serving.answers("/models"))
    assert serving.client.get("/models").json()["versions"] == []
    assert refuses(serving, f"/models/{FIRST}", 404, "unknown_version")
    for malformed in ("v1.0.0", "v1.0-vader", "latest", "v1.0.0-vader%0A", "v1.0.0-Vader"):
        assert refuses(serving, f"/models/{malformed}", 400), malformed
    assert serving.status()["deployment"] is None, "the routes beside it are themselves"


@pytest.mark.slow
def test_versions_are_listed_newest_first_with_headline_figures_and_what_is_live(
    engine: Engine, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model(FIRST))
    second = with_figures(manifest_of(SECOND))
    register(engine, second)
    serving = start_serving()
    rows = documented_answer(serving, "/models")["versions"]
    assert [(row["version"], row["live"]) for row in rows] == [(SECOND, False), (FIRST, True)]
    assert [serving.client.get("/models", params={"limit": 1, "offset": n}).json()["versions"][0] for n in (0, 1)] == rows
    registered_at = datetime.fromisoformat(rows[0].pop("registered_at"))
    assert abs((datetime.now(UTC) - registered_at).total_seconds()) < 60
    assert rows[0] == {
        "version": SECOND,
        "family": "vader",
        "live": False,
        "created_at": "2026-03-02T09:30:00Z",
        "base_model": second.base_model,
        "training_set": second.training_set,
        "feature_schema": "features-v1",
        "metrics": [
            {
                "metric": "macro_f1",
                "title": "macro-F1",
                "value": 0.71,
                "low": 0.68,
                "high": 0.74,
                "n": 970,
                "dataset": "its test part",
                "in_sample": True,
            }
        ],
        "serving_bytes": sum(entry.size for entry in second.files.values()),
        "release_bytes": sum(entry.size for entry in second.files.values()) + 1000,
        "last_revision": None,
        "state": "registered",
        "technical": msgspec.to_builtins(TECHNICAL),
    }
    assert (rows[1]["last_revision"], rows[1]["technical"]) == (1, None)
    with engine.begin() as connection:
        summary = {"examples": 240, "stories": 200, "label_sets": {"made": 240}}
        write_training_set(connection, TRAINING_SET, "v1", summary, [])
    assert serving.client.get(f"/models/{FIRST}").json()["training_set"] == {
        "digest": TRAINING_SET,
        "examples": 240,
        "stories": 200,
        "label_sets": ["made"],
    }


def test_the_card_is_the_manifest_with_its_digest_and_typed_figures(engine: Engine, start_serving: StartServing) -> None:
    manifest = with_figures(manifest_of(FIRST))
    register(engine, manifest)
    serving = start_serving(ready=False)
    serving.wait_until(lambda: serving.answers("/models"))
    card = documented_answer(serving, f"/models/{FIRST}", "/models/{version}")
    assert (card["manifest_digest"], card["licences"], card["git_sha"]) == (digest(manifest), ["MIT"], "0123abc")
    assert card["training_set"] == {"digest": manifest.training_set, "examples": None, "stories": None, "label_sets": []}
    assert card["feature_schema"] == {"name": "features-v1", "digest": "ab" * 32, "features": ["length", "negations"]}
    assert [metric["metric"] for metric in card["metrics"]] == ["log_loss", "macro_f1"]
    assert card["files"] == [
        {"name": name, "sha256": entry.sha256, "size_bytes": entry.size, "served": name in manifest.files}
        for name, entry in sorted(manifest.released_files().items())
    ]
    assert card["figures"]["technical"] == msgspec.to_builtins(TECHNICAL)
    assert card["figures"]["confusion"] == [[3, 1, 0], [0, 2, 1], [1, 0, 4]]
    assert card["figures"]["terms_moved"] == {"count": 1, "most": [MOVED], "constants": {"but": [0.5, 0.4]}}
    assert (card["figures"]["ablation"], card["figures"]["reliability"]) == (None, [])

    # A family whose figures have a form of their own still has a card.
    register(engine, msgspec.structs.replace(manifest_of(SECOND), figures={"confusion": "none"}))
    assert serving.client.get(f"/models/{SECOND}").json()["figures"] is None


def test_the_list_reads_what_a_version_costs_and_no_other_figure(engine: Engine) -> None:
    register(engine, with_figures(manifest_of(FIRST)))
    with engine.connect() as connection:
        assert versions_page(connection, 10, 0)[0].manifest.figures == {"technical": msgspec.to_builtins(TECHNICAL)}
        whole = get_version(connection, FIRST)
        assert whole is not None
        assert whole.manifest.figures["technical"]["cores"] == 2
