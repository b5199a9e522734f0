"""A worker of a shared study, for a test: `python -m ...shared_search URL STUDY WORKER N_TRIALS`. Its trials take a moment each."""

import json
import sys
import time

from sentiment_platform.models.study import TrialHandle, report_or_prune, search


def hill(trial: TrialHandle) -> float:
    """Highest at x = 0.3 with kind b; it climbs in four steps, so that it can be pruned."""
    x = trial.suggest_float("x", 0.0, 1.0)
    bonus = 0.1 if trial.suggest_categorical("kind", ["a", "b"]) == "b" else 0.0
    for step in range(4):
        report_or_prune(trial, (1.0 - abs(x - 0.3) + bonus) * (step + 1) / 4, step)
    return 1.0 - abs(x - 0.3) + bonus


def slow_hill(trial: TrialHandle) -> float:
    time.sleep(0.1)
    return hill(trial)


if __name__ == "__main__":
    url, study, worker, n_trials = sys.argv[1:]
    report = search(study, slow_hill, n_trials=int(n_trials), seed=5, database_url=url, worker=int(worker))
    print(json.dumps(report.figures()))
