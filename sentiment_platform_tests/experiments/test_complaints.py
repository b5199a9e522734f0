"""People speak where the champion erred. Equal models must stay unswitched however many complaints there are."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from sentiment_platform.experiments.contenders import Contenders
from sentiment_platform.experiments.contestants import contestant, holdout_of
from sentiment_platform.experiments.error_budget import level_of
from sentiment_platform.experiments.gate import propose
from sentiment_platform.experiments.weighing import weigh
from sentiment_platform.statistics.arrays import Floats, Ints
from sentiment_platform.store.labels import StoredLabel
from sentiment_platform.store.training_sets import StoredExample
from sentiment_platform.text.sentiment import LABELS
from sentiment_platform_tests.labels.stored_labels import NOON, PLACES, THINGS, VERBS, label, made

CHAMPION, CHALLENGER = "v1.0.0-vader", "v1.1.0-vader"
COMPLAINTS, RUNS, RIGHT = 80, 200, 0.8


def labelled(ending: str) -> list[StoredLabel]:
    return [
        label(f"{place} {thing} {verb} {ending}", said, available_at=NOON)
        for place in PLACES
        for thing in THINGS
        for said, verb in VERBS.items()
    ]


def holdout_with_complaints(kind: str) -> list[StoredExample]:
    """The test part of 756 labels of annotators and 80 newer ones of `kind`."""
    annotated = [
        replace(row, available_at=NOON + timedelta(hours=n))
        for n, row in enumerate([*labelled("after the audit"), *labelled("before summer")])
    ]
    newest = [
        replace(row, available_at=NOON + timedelta(days=100, hours=n), kind=kind, label_set="feedback")
        for n, row in enumerate(labelled("despite strikes")[:COMPLAINTS])
    ]
    return [example for example in made([*annotated, *newest]).examples if example.part == "test"]


def answers(labels: Ints, wrong: "np.ndarray[tuple[int], np.dtype[np.bool_]]", random: np.random.Generator) -> Floats:
    """(n, 3): right in `RIGHT` of the rows, but for those that are `wrong`."""
    right = (random.random(labels.size) < RIGHT) & ~wrong
    said = np.where(right, labels, (labels + random.integers(1, 3, labels.size)) % 3)
    return np.where(said[:, np.newaxis] == np.arange(3), 0.8, 0.1)


def switched(examples: list[StoredExample]) -> int:
    """In how many of `RUNS` a challenger that is as good as the champion takes its place; complaints are where the champion erred."""
    labels = np.array([LABELS.index(example.label) for example in examples], dtype=np.int64)  # type: ignore[arg-type]
    complaint = np.array([example.label_set == "feedback" for example in examples])
    holdout = holdout_of("set", labels)
    contenders = Contenders(
        newest={"vader": CHALLENGER}, champions={"vader": CHAMPION}, default_family="vader", by_person=False, revision=1
    )
    count = 0
    for seed in range(RUNS):
        random = np.random.default_rng(seed)
        sides = {
            CHAMPION: contestant(holdout, CHAMPION, answers(labels, complaint, random), family="vader"),
            CHALLENGER: contestant(holdout, CHALLENGER, answers(labels, np.zeros_like(complaint), random), family="vader"),
        }
        proposal = propose(contenders, weigh(contenders, holdout, sides, level=level_of(1)))
        count += proposal.champions["vader"] == CHALLENGER
    return count


@pytest.mark.slow
def test_equal_models_with_80_complaints_beside_150_others_are_switched_in_at_most_a_twentieth_of_runs() -> None:
    examples = holdout_with_complaints("feedback")
    assert 140 <= len(examples) <= 160
    assert switched(examples) <= RUNS * 0.05
    # The control: the same words in the holdout, as the newest of annotators' labels are, make the equal model win.
    assert switched(holdout_with_complaints("human")) > RUNS * 0.5
