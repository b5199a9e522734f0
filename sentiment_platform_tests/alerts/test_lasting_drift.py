"""A shift that lasts: one training, one incident that says how many texts to label; labels, one more training, and it is over."""

from datetime import timedelta

import msgspec
from sqlalchemy import Engine

from sentiment_platform.alerts.incidents import Changes, evaluate
from sentiment_platform.features.schema import V1
from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.monitoring.drift import measure_drift
from sentiment_platform.monitoring.retraining import decide_and_store
from sentiment_platform.store.decisions import newest_decisions
from sentiment_platform.store.incidents import open_incidents
from sentiment_platform_tests.monitoring.seeding import NOW, manifest, seed_deployed, seed_training_set, seed_weeks
from sentiment_platform_tests.monitoring.seeding import features as values
from sentiment_platform_tests.versions import deploy, register

ROLLED_BACK_TO = "v0.9.0-vader"
SHIFT = dict.fromkeys(V1.names[:8], 1.5)


def hour(engine: Engine, day: float) -> Changes:
    now = NOW + timedelta(days=day)
    measure_drift(engine, now)
    decide_and_store(engine, now, run_id=f"day {day}")
    return evaluate(engine, now)


def trainings(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(newest_decisions(connection, 100, retrain=True))


def is_open(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(incident.fingerprint for incident in open_incidents(connection))


def test_a_lasting_shift_trains_once_asks_for_labels_once_and_is_over_when_a_version_learnt_it(engine: Engine) -> None:
    seed_deployed(engine)
    end = NOW + timedelta(days=28)
    seed_weeks(engine, range(6, 12), n=120, now=end)
    seed_weeks(engine, range(6), n=120, shift=SHIFT, now=end)
    assert hour(engine, 0) == Changes(("drift",), ())
    assert trainings(engine) == 1
    assert hour(engine, 2) == Changes(("labels_wanted",), ())
    for day in (9, 16, 23, 27.9):
        assert hour(engine, day) == Changes((), ())
    assert (trainings(engine), is_open(engine)) == (1, ["drift", "labels_wanted"])
    with engine.connect() as connection:
        wanted = next(one for one in open_incidents(connection) if one.fingerprint == "labels_wanted")
    assert wanted.summary.startswith("Label 50 of the texts that were asked lately. Nothing new to learn: no better version came")
    assert wanted.detail["command"] == "sentiment-platform labels tasks export --out FILE"

    texts = [f"Plant {i} of the group was closed" for i in range(60)]
    examples = [
        LabelledExample(label_set="a", external_id=str(i), text=text, label="negative", annotator="ann", licence="CC0-1.0")
        for i, text in enumerate(texts)
    ]
    assert import_labels(engine, examples) == 60
    assert hour(engine, 27.95) == Changes((), ("labels_wanted",))
    assert trainings(engine) == 2
    seed_training_set(engine, values(800, 5, SHIFT), digest="e" * 64)
    learnt = msgspec.structs.replace(manifest("v1.1.0-vader"), training_set="e" * 64)
    register(engine, learnt)
    deploy(engine, learnt, published_at=NOW + timedelta(days=28))
    measure_drift(engine, NOW + timedelta(days=28))
    assert hour(engine, 29) == Changes((), ("drift",))
    assert (trainings(engine), is_open(engine)) == (2, [])


def test_what_a_report_could_not_judge_stays_open_says_so_and_is_over_when_it_was_judged(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine, (2, 3, 4))
    seed_weeks(engine, (0, 1), shift=SHIFT)
    measure_drift(engine, NOW)
    assert evaluate(engine, NOW) == Changes(("drift",), ())
    with engine.connect() as connection:
        (judged,) = open_incidents(connection)
    back = manifest(ROLLED_BACK_TO)
    register(engine, back)
    deploy(engine, back, published_at=NOW)
    later, still_open = NOW + timedelta(days=7), f"{judged.summary} It stays open, since it could not be judged again."
    seed_weeks(engine, (0,), n=5, now=later, version=ROLLED_BACK_TO)
    assert evaluate(engine, later) == Changes((), ())
    with engine.connect() as connection:
        (unmeasured,) = open_incidents(connection)
    assert unmeasured.summary == f"{still_open} There is no drift report on {ROLLED_BACK_TO} yet."
    assert measure_drift(engine, later).tested == 0
    assert evaluate(engine, later) == Changes((), ())
    with engine.connect() as connection:
        (kept,) = open_incidents(connection)
    assert kept.summary.startswith(f"{still_open} Nothing could be judged: ")
    assert (kept.severity, kept.detail) == (judged.severity, judged.detail)
    # The negative control: a report that judged, and found nothing, ends it.
    calm = NOW + timedelta(days=365)
    seed_weeks(engine, now=calm, version=ROLLED_BACK_TO)
    assert measure_drift(engine, calm).tested
    assert evaluate(engine, calm) == Changes((), ("drift",))
