"""Served texts go out to people and come back as labels."""

import csv
import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_report
from sentiment_platform.labels.label_studio import label_studio
from sentiment_platform.labels.tasks import TASK_FORMATS
from sentiment_platform.store.labelling_tasks import LabellingTask, unlabelled_texts
from sentiment_platform_tests.monitoring.seeding import NOW, features, probabilities, seed_predictions

TEXTS = [f"Kiln maker number {n} lifts its outlook, and says so twice" for n in range(40)]


def waiting(engine: Engine, limit: int = 100) -> list[LabellingTask]:
    with engine.connect() as connection:
        return unlabelled_texts(connection, NOW - timedelta(days=1), NOW, limit)


def test_a_sample_of_served_texts_goes_out_and_comes_back_labelled_through_both_tools(engine: Engine, tmp_path: Path) -> None:
    asked = [*TEXTS, *TEXTS[:5]]
    seed_predictions(engine, features(len(asked), 1), probabilities(len(asked), 2), texts=asked)
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
    second = waiting(engine, 15)
    assert not {task.id for task in first} & {task.id for task in second}

    tasks = json.loads(TASK_FORMATS["label-studio"](second))
    choice = {"from_name": "sentiment", "to_name": "text", "type": "choices", "value": {"choices": ["negative"]}}
    for number, task in enumerate(tasks):
        task |= {"id": number, "annotations": [{"id": number, "completed_by": 1, "result": [choice]}]}
    export = tmp_path / "project.json"
    export.write_text(json.dumps(tasks), "utf-8")
    import_report(engine, label_studio(export, "audit", "CC0-1.0"), run_id="run", now=NOW)
    assert len(waiting(engine)) == len(TEXTS) - 30
