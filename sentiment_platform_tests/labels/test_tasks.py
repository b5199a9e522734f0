"""Served texts go out to people and come back as labels."""

import csv
import json
from dataclasses import astuple
from datetime import timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from sentiment_platform.labels.examples import AUDIT_SET
from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_report
from sentiment_platform.labels.label_studio import label_studio
from sentiment_platform.labels.tasks import TASK_FORMATS
from sentiment_platform.served.performance import measure_performance
from sentiment_platform.store.audit_sample import LabellingTask, draw_sample, sample_counts, waiting_texts
from sentiment_platform_tests.monitoring.seeding import NOW, answering, features, seed_audit, seed_predictions

TEXTS = [f"Kiln maker number {n} lifts its outlook, and says so twice" for n in range(40)]


def waiting(engine: Engine, limit: int = 100) -> list[LabellingTask]:
    with engine.begin() as connection:
        draw_sample(connection, NOW)
        return waiting_texts(connection, AUDIT_SET, NOW - timedelta(days=1), limit)


def test_a_sample_of_served_texts_goes_out_and_comes_back_labelled_through_both_tools(engine: Engine, tmp_path: Path) -> None:
    asked = [*TEXTS, *TEXTS[:5]]
    answers = np.array([answering("positive")] * len(asked))
    seed_predictions(engine, features(len(asked), 1), answers, texts=asked)
    # What another set says of a text judges nothing, so the text waits all the same.
    seed_audit(engine, dict.fromkeys(TEXTS, "neutral"), label_set="desk")
    first = waiting(engine, 15)
    assert first == waiting(engine, 15), "the same sample until it is labelled"
    assert {task.text for task in waiting(engine)} == set(TEXTS)
    assert [task.text for task in first] != sorted(task.text for task in first)

    table = tmp_path / "tasks.csv"
    table.write_text(TASK_FORMATS["csv"](first), "utf-8", newline="")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["text"], row["label"]) for row in rows] == [(task.text, "") for task in first]
    with table.open("w", newline="") as file:
        out = csv.DictWriter(file, ["id", "text", "label"])
        out.writeheader()
        out.writerows({**row, "label": "positive"} for row in rows)
    import_report(engine, plain(table, "audit", "CC0-1.0"), run_id="run", now=NOW)
    second = waiting(engine, 20)
    assert not {task.id for task in first} & {task.id for task in second}

    tasks = json.loads(TASK_FORMATS["label-studio"](second))
    choice = {"from_name": "sentiment", "to_name": "text", "type": "choices", "value": {"choices": ["negative"]}}
    for number, task in enumerate(tasks):
        task |= {"id": number, "annotations": [{"id": number, "completed_by": 1, "result": [choice]}]}
    export = tmp_path / "project.json"
    export.write_text(json.dumps(tasks), "utf-8")
    import_report(engine, label_studio(export, "audit", "CC0-1.0"), run_id="run", now=NOW)
    assert len(waiting(engine)) == len(TEXTS) - 35
    with engine.connect() as connection:
        assert astuple(sample_counts(connection, AUDIT_SET)) == (45, 40, 5)

    right, wrong = {task.text for task in first}, {task.text for task in second}
    row = next(row for row in measure_performance(engine, NOW).rows if row.window == "audit:7d")
    counted = [text in right for text in asked if text in right | wrong]
    assert row.labelled == len(counted)
    assert {figure.metric: figure.value for figure in row.figures}["accuracy"] == sum(counted) / len(counted)
