"""The search: it finds, it prunes, a seed repeats it, and workers share one study in PostgreSQL."""

import json
import subprocess
import sys

import psycopg
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import Progress
from sentiment_platform.models.study import TrialHandle, search
from sentiment_platform_tests.models.transformer.shared_search import hill, slow_hill


def test_a_search_finds_the_hill_prunes_what_falls_behind_and_says_what_mattered() -> None:
    seen: list[Progress] = []
    report = search("hill", hill, n_trials=40, seed=5, progress=seen.append)
    assert report.best_value > 1.05
    assert abs(report.best_parameters["x"] - 0.3) < 0.05
    states = [trial.state for trial in report.trials]
    assert len(states) == 40
    assert 0 < states.count("pruned") < 35
    assert report.importances["x"] > 0
    assert json.loads(json.dumps(report.figures()))["n_pruned"] == states.count("pruned")
    assert seen[-1].remaining_s == 0.0


def test_the_same_seed_repeats_the_search_and_another_does_not() -> None:
    first, again, other = (search(name, hill, n_trials=12, seed=seed) for name, seed in (("a", 5), ("b", 5), ("c", 6)))
    assert first.trials == again.trials
    assert first.best_parameters == again.best_parameters
    assert first.trials != other.trials


@pytest.mark.slow
def test_two_processes_share_one_study_in_the_database(database_url: str) -> None:
    command = [sys.executable, "-m", slow_hill.__module__, database_url, "shared"]
    workers = [subprocess.Popen([*command, str(n), "24"], stdout=subprocess.PIPE, text=True) for n in (0, 1)]
    reports = [json.loads(worker.communicate(timeout=180)[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT count(*), count(DISTINCT number) FROM optuna.trials").fetchone()
        per_study = connection.execute("SELECT count(*) FROM optuna.studies").fetchone()
    assert per_study == (1,)
    assert rows is not None
    assert rows[0] == rows[1] in (24, 25), "both worked on one list of trials; two may end at once"
    assert len({json.dumps(trial["parameters"]) for trial in reports[0]["trials"]}) == reports[0]["n_trials"], (
        "nobody repeated a trial"
    )
    # Who comes later reads the result and tries nothing.
    report = search("shared", never, n_trials=24, seed=5, database_url=database_url)
    assert report.best_value == max(reports[0]["best_value"], reports[1]["best_value"])


def never(_trial: TrialHandle) -> float:
    raise AssertionError("a complete study is only read")


def test_a_search_in_which_every_trial_falls_away_is_an_error() -> None:
    with pytest.raises(AssertionError, match="only read"):
        search("broken", never, n_trials=2, seed=1)
    with pytest.raises(PermanentError, match="came to an end"):
        search("empty", hill, n_trials=0, seed=1)
