"""The verdict on a running experiment, from what serving and people left in the database."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.experiments.online_gate import next_step, objection_to_split
from sentiment_platform.experiments.online_markdown import online_report
from sentiment_platform.experiments.online_reading import evaluate_running
from sentiment_platform.store.training_sets import StoredExample
from sentiment_platform.text.normalise import text_hash
from sentiment_platform_tests.experiments.online import CHALLENGER, CHAMPION, Trial, said
from sentiment_platform_tests.features.articles import article, insert
from sentiment_platform_tests.monitoring.seeding import DIGEST, NOW, answering
from sentiment_platform_tests.versions import store_training_set

ONLY_A, ONLY_B, BOTH = (True, False), (False, True), (True, True)


@pytest.fixture
def trial(engine: Engine) -> Trial:
    return Trial(engine)


def test_without_an_experiment_there_is_nothing_to_evaluate(engine: Engine, trial: Trial) -> None:
    assert evaluate_running(engine, run_id="run") is None
    trial.deploy()
    assert evaluate_running(engine, run_id="run") is None


def test_a_better_shadow_is_found_its_evaluation_is_stored_once_and_the_words_name_figures_and_next_step(trial: Trial) -> None:
    trial.label(trial.pairs(trial.shadow(), [ONLY_B] * 40 + [ONLY_A] * 5 + [BOTH] * 55))
    first = trial.evaluate()
    assert (first.evaluation.verdict, first.new) == ("better", True)
    words = first.evaluation.words()
    assert "On 100 labelled stories it is right in 95.0%, the champion in 60.0%; alone right 40 against 5 times" in words
    assert f"models promote {CHALLENGER}" in next_step(first.evaluation)
    assert f"| {CHALLENGER} | in shadow | 100 | 95 | 40 |" in online_report(first.evaluation)
    assert "Served, it would change 45 of 100 answers (45.0%)." in words
    assert "| served negative |" in online_report(first.evaluation)
    assert objection_to_split(first.evaluation, CHAMPION, CHALLENGER) is None
    again = trial.evaluate()
    assert (again.id, again.new) == (first.id, False)
    assert trial.evaluations() == [(first.id, "better")]


def test_a_worse_shadow_is_worse_and_an_undecided_one_goes_on_and_says_how_many_labels_it_needs(trial: Trial) -> None:
    plan = trial.shadow()
    texts = trial.pairs(plan, [ONLY_A] * 30 + [ONLY_B] * 4)
    trial.label(texts[28:])
    undecided = trial.evaluate().evaluation
    assert undecided.verdict == "goes on"
    assert undecided.needs is not None
    assert 100 < undecided.needs < 5000
    assert f"It needs about {undecided.needs:,} more labelled stories to show 5 points of accuracy" in undecided.words()
    trial.label(texts[:28], at=NOW + timedelta(days=1))
    worse = trial.evaluate().evaluation
    assert (worse.verdict, worse.needs) == ("worse", None)
    assert "experiments stop" in next_step(worse)
    assert objection_to_split(worse, CHAMPION, CHALLENGER) is not None


def test_late_labels_revise_the_estimate_in_a_new_evaluation_and_flip_no_decision(trial: Trial) -> None:
    plan = trial.shadow()
    trial.label(trial.pairs(plan, [ONLY_B] * 30, "early"))
    decided = trial.evaluate()
    assert decided.evaluation.verdict == "better"
    trial.label([f"early {n}" for n in range(16)], wrongly=True, at=NOW + timedelta(days=1))
    revised = trial.evaluate()
    assert revised.new
    assert revised.id != decided.id
    assert (revised.evaluation.verdict, revised.evaluation.decided_in) == ("better", decided.id)
    assert revised.evaluation.paired is not None
    assert (revised.evaluation.paired.only_b_right, revised.evaluation.paired.decided) == (14, None)
    assert f"decided in evaluation {decided.id[:12]}, and stands; with the labels of today the test would say nothing yet" in (
        revised.evaluation.words()
    )
    assert trial.evaluations() == [(decided.id, "better"), (revised.id, "better")]


def test_a_phase_starts_with_nothing_of_the_phase_before(trial: Trial) -> None:
    trial.label(trial.pairs(trial.shadow(), [ONLY_B] * 40))
    assert trial.evaluate().evaluation.verdict == "better"
    second = trial.shadow(phase=2)
    fresh = trial.evaluate().evaluation
    assert (fresh.verdict, fresh.asked, fresh.paired and fresh.paired.stories) == ("goes on", 0, 0)
    trial.label(trial.pairs(second, [ONLY_A] * 40, "second"))
    assert trial.evaluate().evaluation.verdict == "worse"


def test_only_annotators_judge_each_text_once_and_none_that_a_version_has_learned_from(trial: Trial) -> None:
    plan = trial.shadow()
    texts = trial.pairs(plan, [ONLY_B] * 20)
    trial.label(texts, label_set="said")
    assert "None of these texts has a label of a person" in trial.evaluate().evaluation.words()
    learned = StoredExample(
        example_id=text_hash(texts[0])[:32],
        part="train",
        text=texts[0],
        label="positive",
        label_set="audit",
        story_id="s",
        available_at=None,
        features=(None,) * 15,
    )
    store_training_set(trial.engine, DIGEST, [learned])
    trial.label(texts)
    trial.label(texts, annotator="bob")
    paired = trial.evaluate().evaluation.paired
    assert paired is not None
    assert (paired.stories, paired.learned, paired.only_b_right) == (19, 1, 19)


def test_copies_of_a_story_are_one_pair_and_the_first_label_speaks(trial: Trial) -> None:
    texts = trial.pairs(trial.shadow(), [ONLY_A] + [ONLY_B] * 9)
    copies = [article(n, n, title=title) for n, title in enumerate(texts[:6])]
    insert(trial.engine, copies, one_story=True)
    trial.articles = {copy.title: copy.id for copy in copies}
    trial.label(texts)
    paired = trial.evaluate().evaluation.paired
    assert paired is not None
    assert (paired.stories, paired.only_a_right, paired.only_b_right) == (5, 1, 4)


def test_guardrails_block_by_name_whatever_accuracy_says(trial: Trial) -> None:
    plan = trial.shadow()
    trial.label(trial.pairs(plan, [ONLY_B] * 40 + [BOTH] * 80, latency_ms=50.0))
    with trial.engine.begin() as connection:
        connection.execute(text("UPDATE platform.predictions SET latency_ms = jsonb_build_object('total', 3, 'inference', 2)"))
    slow = trial.evaluate().evaluation
    assert slow.verdict == "blocked:latency"
    assert "Latency (blocks): a text takes 50.0 ms (p95) instead of 2.0 ms; 3.0 ms are allowed." in slow.words()
    # The control: a replay's time was measured elsewhere, and is told and not judged.
    with trial.engine.begin() as connection:
        connection.execute(text("UPDATE platform.shadow_answers SET made_by = 'replay'"))
    assert trial.evaluate().evaluation.verdict == "better"


def test_a_shadow_that_fails_or_never_names_a_class_is_blocked_without_any_label(trial: Trial) -> None:
    plan = trial.shadow()
    trial.pairs(plan, [BOTH] * 200)
    assert trial.evaluate().evaluation.verdict == "goes on"
    trial.pairs(plan, [BOTH] * 10, "failing", probabilities=None, failure="too late")
    failing = trial.evaluate().evaluation
    assert failing.verdict == "blocked:failures"
    assert "it failed 10 of 210 requests" in failing.words()
    silent = trial.shadow(phase=2)
    trial.pairs(silent, [BOTH] * 60, "silent", probabilities=answering("neutral"))
    assert trial.evaluate().evaluation.verdict == "blocked:class_shares"


def split(trial: Trial, control: int, challenger: int, *, prefix: str = "split", degraded: int = 0) -> None:
    """Units of both arms, one answer each; the first `degraded` of the challenger's degraded."""
    for arm, n in (("control", control), ("challenger", challenger)):
        if not n:
            continue
        trial.served([said(number, True) for number in range(n)], f"{prefix} {arm}", experiment="trial", arm=arm)
    with trial.engine.begin() as connection:
        connection.execute(text("UPDATE platform.predictions SET unit = id WHERE unit IS NULL"))
        connection.execute(
            text("UPDATE platform.predictions SET degraded = true WHERE id = ANY(:ids)"),
            {"ids": [f"{prefix} challenger-{n}" for n in range(degraded)]},
        )


def test_a_split_with_other_shares_than_planned_is_believed_in_nothing_and_one_as_planned_goes_on(trial: Trial) -> None:
    trial.split(0.5)
    assert "No answer names an arm yet" in trial.evaluate().evaluation.words()
    split(trial, 500, 510)
    assert trial.evaluate().evaluation.verdict == "goes on"
    split(trial, 0, 300, prefix="more")
    mismatch = trial.evaluate().evaluation
    assert mismatch.verdict == "blocked:shares_of_arms"
    assert "the arms got 38.2%, 61.8% of 1,310 units where 50.0%, 50.0% were planned" in mismatch.words()
    assert "| challenger | v1.1.0-vader | 50.0% | 810 | 810 | 0 |" in online_report(mismatch)
    # More units do not take the alarm back: it was looked at, and it was one.
    split(trial, 320, 0, prefix="later")
    assert trial.evaluate().evaluation.words().count("Shares of arms (blocks): the arms got 38.2%") == 1
    # The next phase counts its own units alone.
    trial.split(0.6, phase=3)
    split(trial, 200, 300, prefix="third")
    assert trial.evaluate().evaluation.verdict == "goes on"


def test_a_unit_in_two_arms_and_degraded_answers_of_one_arm_block_a_split(trial: Trial) -> None:
    trial.split(0.5)
    split(trial, 300, 300, degraded=30)
    assert trial.evaluate().evaluation.verdict == "blocked:degraded"
    with trial.engine.begin() as connection:
        connection.execute(
            text("UPDATE platform.predictions SET unit = 'same' WHERE id IN ('split control-0', 'split challenger-0')")
        )
    twice = trial.evaluate().evaluation
    assert twice.verdict == "blocked:shares_of_arms"
    assert "1 units were answered by two arms" in twice.words()
