"""Claims about what GET /models/status and GET /models/performance say: every field by its value, before and after a change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.registry.documents import digest
from sentiment_platform.store.figures import Figure, write_figures
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import NOW, Publisher
from sentiment_platform_tests.serving.running import ServingProcess

FIRST, SECOND = "v1.0.0-vader", "v1.0.1-vader"


def write(engine: Engine, as_of: datetime, *figures: Figure) -> int:
    with engine.begin() as connection:
        return write_figures(connection, figures, as_of)


def shown(serving: ServingProcess) -> dict[tuple[str, str], dict[str, object]]:
    figures = serving.client.get("/models/performance").json()["figures"]
    named = {(figure["window"], figure["metric"]): figure for figure in figures}
    assert len(named) == len(figures), "a figure is shown once"
    return named


@pytest.mark.slow
def test_performance_shows_of_every_figure_the_newest_revision_with_interval_n_coverage_and_time(
    engine: Engine, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model(FIRST))
    week = "feedback:7d"
    realised = Figure(version=FIRST, window=week, metric="accuracy", value=0.80, low=0.70, high=0.88, n=60, label_coverage=0.30)
    estimated = Figure(version=FIRST, window="holdout", metric="macro_f1", value=0.90, low=0.80, high=1.0, n=40, in_sample=True)
    assert (
        write(
            engine,
            NOW,
            realised,
            estimated,
            Figure(version=FIRST, window=week, metric="ece", value=0.05, low=None, high=None, n=60, label_coverage=0.30),
        )
        == 3
    )
    serving = start_serving()
    before = shown(serving)
    assert before[(week, "accuracy")]["value"] == 0.80
    later = NOW + timedelta(hours=1)
    assert (
        write(
            engine,
            later,
            replace(realised, value=0.75, low=0.66, high=0.83, n=90, label_coverage=0.45, note="self-selected, not judged"),
            estimated,
        )
        == 1
    )
    # Rows are kept for a few seconds, so that a dashboard is no load on the database.
    after = serving.wait_until(lambda: (figures := shown(serving))[(week, "accuracy")]["revision"] == 2 and figures)
    assert after == before | {
        (week, "accuracy"): {
            "version": FIRST,
            "window": week,
            "metric": "accuracy",
            "revision": 2,
            "value": 0.75,
            "low": 0.66,
            "high": 0.83,
            "n": 90,
            "label_coverage": 0.45,
            "in_sample": False,
            "as_of": "2026-03-02T10:30:00Z",
            "note": "self-selected, not judged",
        }
    }
    untouched = {key: before[("holdout", "macro_f1")][key] for key in ("revision", "label_coverage", "in_sample", "as_of")}
    assert untouched == {"revision": 1, "label_coverage": 1.0, "in_sample": True, "as_of": "2026-03-02T09:30:00Z"}
    assert (before[(week, "ece")]["low"], before[(week, "ece")]["high"]) == (None, None), "no interval is invented"
    whole = serving.client.get("/models/performance").json()
    assert whole["live_versions"] == [FIRST]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(whole["as_of"])) < timedelta(minutes=1)


def test_status_names_what_is_live_since_when_from_what_and_how_it_came(
    publisher: Publisher, start_serving: StartServing
) -> None:
    began = datetime.now(UTC)
    first = publisher.model(FIRST)
    publisher.deploy(first)
    serving = start_serving()
    before = serving.wait_until(lambda: (status := serving.status())["last_swap"] and status)
    second = publisher.model(SECOND, steepness=2.0)
    publisher.deploy(second)
    after = serving.wait_until(lambda: (status := serving.status())["last_swap"]["revision"] == 2 and status)
    moments = [began.isoformat(), before["families"]["vader"].pop("since"), after["families"]["vader"].pop("since")]
    for status, manifest in ((before, first), (after, second)):
        assert status["families"] == dict.fromkeys(FAMILIES) | {
            "vader": {
                "version": manifest.version,
                "manifest_digest": digest(manifest),
                "base_model": manifest.base_model,
                "feature_schema": "v1",
                "selection": None,
                "canary": None,
                "queue_depth": 0,
                "health": "ok",
            },
        }
    swap = after["last_swap"]
    moments += [swap.pop("at"), datetime.now(UTC).isoformat()]
    times = [datetime.fromisoformat(moment) for moment in moments]
    assert times == sorted(times), "loaded one after the other, the second before the books of its swap were closed"
    assert swap.pop("duration_s") > 0
    assert swap == {"outcome": "swapped", "revision": 2, "versions": [SECOND], "reason": None, "message": None}
    assert after["deployment"] == {
        "revision": 2,
        "tag": "deploy-000002",
        "default_family": "vader",
        "rule": "gate",
        "reason": "test",
        "created_at": "2026-03-02T09:30:00Z",
    }
    assert (after["default_family"], after["selections"], after["candidate"]) == ("vader", [], None)
    assert (after["registry"]["reachable"], after["registry"]["message"]) == (True, None)
    # A revision that names the same version reloads nothing: it answers since it was loaded.
    publisher.deploy(second)
    third = serving.wait_until(lambda: (status := serving.status())["last_swap"]["revision"] == 3 and status)
    assert third["deployment"]["revision"] == 3
    assert third["families"]["vader"]["since"] == moments[2]
