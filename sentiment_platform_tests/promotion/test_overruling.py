"""Claims about a person who overrules: the comparison is made, shown and signed; of two who roll back at once one is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.experiments.choice import NOT_STORED, content_of, pairs_of_choice, read_choice
from sentiment_platform.experiments.choice_comparison import weigh_choice
from sentiment_platform.experiments.online_reading import evaluate_running
from sentiment_platform.experiments.standing import standing
from sentiment_platform.models.family import Integers
from sentiment_platform.promotion.deciding import decide_and_publish, running
from sentiment_platform.promotion.experiment_steps import Start, intent_of_start
from sentiment_platform.promotion.grounds import sentence, weigh_promotion
from sentiment_platform.promotion.intents import intent_of_promotion, intent_of_rollback
from sentiment_platform.promotion.next_revision import publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.store.selections import RequestedSelection, open_selection_requests, request_selection, selections_page
from sentiment_platform_tests import versions
from sentiment_platform_tests.promotion.seeding import NOW, TRAINING_SET, answers, ask, clock, make_evidence, offered, release

V1, V2, V3, F1 = "v1.0.0-vader", "v1.1.0-vader", "v1.2.0-vader", "v1.0.0-finbert"


@pytest.fixture
def good_then_worse(engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path) -> Integers:
    """v1.0.0-vader is deployed; v1.1.0-vader is registered, and right about a fifth of the texts alone."""
    make_evidence(engine)
    decide_and_publish(engine, access, run_id="first", now=clock)
    release(engine, access, tmp_path, V2, answers(labels, 0.2, 2))
    return labels


def promote(engine: Engine, access: RegistryAccess, version: str, reason: str = "I want it") -> Deployment:
    intent = partial(intent_of_promotion, version=version, actor="ada", reason=reason)
    return publish(engine, access, intent, holder="ada", now=clock).document


def test_the_worse_version_is_promoted_by_request_and_the_signed_document_keeps_what_spoke_against_it(
    engine: Engine, access: RegistryAccess, good_then_worse: Integers
) -> None:
    ask(engine, "one", "vader", V2)
    outcome = decide_and_publish(engine, access, run_id="run-9", now=clock)
    assert outcome.published is not None
    document = offered(access).document  # the reader verifies the operator's signature
    assert (document.champions["vader"].version, document.rule, document.actor) == (V2, "manual", "ada")
    told = document.evidence.figures[f"{V2} against {V1}"]
    assert (told["verdict"], told["speaks_against"], told["n"], told["training_set"]) == ("worse", True, 200, TRAINING_SET)
    assert told["high"] < 0
    assert "Requested by ada: because of one" in document.evidence.verdict
    assert "The evidence speaks against it" in document.evidence.verdict
    assert f"{V2} is worse than {V1} on 200 holdout texts" in document.evidence.verdict
    assert document.evidence.run_ids == ("run-9",)
    with engine.connect() as connection:
        (pair,) = read_choice(connection, [(V1, V2)])
        (back,) = read_choice(connection, [(V2, V1)])
        attempts = connection.execute(text("SELECT count(*) FROM platform.gate_evidence")).scalar_one()
    assert (pair.verdict, pair.speaks_against, back.verdict, back.speaks_against) == ("worse", True, "better", False)
    assert attempts == 1, "a person's question is no attempt of the gate"
    # Verdict and sentence agree, whichever way round the stored pair is.
    assert back.words.startswith(f"{V1} would be better in the place of {V2}: {V2} is worse than {V1} on 200")
    assert pair.words.startswith(f"{V2} is worse than {V1} on 200")
    assert f"because of one. The evidence speaks against it ({V2} against {V1}: worse). {V2} is" in document.evidence.verdict


@pytest.mark.usefixtures("good_then_worse")
def test_a_split_that_a_person_started_against_the_holdout_is_not_said_to_have_nothing_against_it(
    engine: Engine, access: RegistryAccess
) -> None:
    start = Start(version=V2, actor="ada", reason="I want it", split=0.1, overrules=True)
    publish(engine, access, partial(intent_of_start, start=start), holder="ada", now=clock)
    evaluate_running(engine, run_id="run")

    def next_step() -> str:
        stands = standing(engine)
        assert stands is not None
        return stands.next_step

    assert next_step().startswith("Nothing speaks against it so far."), "the control: the pair was not compared"
    weigh_choice(engine, [(V1, V2)], run_id="by hand")
    assert next_step().startswith(f"On the holdout {V2} is worse: {V2} is worse than {V1} on 200 holdout texts")
    assert "experiments stop" in next_step()
    assert "promote" not in next_step()


def test_a_reason_ends_as_a_sentence_once() -> None:
    assert [sentence(said) for said in ("worse", "worse. ", "why?", 'he said "no."')] == [
        "worse.",
        "worse.",
        "why?",
        'he said "no."',
    ]


def test_the_better_version_has_no_objection_and_a_version_without_answers_answers_first(
    engine: Engine, access: RegistryAccess, good_then_worse: Integers, tmp_path: Path
) -> None:
    release(engine, access, tmp_path, F1)
    asked: list[str] = []

    def answer(version: str) -> None:
        asked.append(version)
        said = answers(good_then_worse, 0.9, 5)
        versions.answer_holdout(engine, version, TRAINING_SET, {f"{n:04}": list(row) for n, row in enumerate(said)})

    pairs = pairs_of_choice(content_of(running(engine)), ({"vader": V1, "finbert": F1}, "finbert"))
    assert pairs == [(V1, F1)]
    with engine.connect() as connection:
        assert [pair.words for pair in read_choice(connection, pairs)] == [NOT_STORED]
    (unanswered,) = weigh_choice(engine, pairs, run_id="by hand")
    assert unanswered.verdict is None
    assert f"{F1} answered 0 of 200 holdout texts" in unanswered.words
    (pair,) = weigh_choice(engine, pairs, run_id="by hand", answer=answer)
    assert (asked, pair.verdict, pair.speaks_against) == ([F1], "better", False)
    weigh_choice(engine, pairs, run_id="again", answer=answer)
    assert asked == [F1], "what is stored is not made again"


def test_where_nothing_can_be_compared_the_document_says_why(
    engine: Engine, access: RegistryAccess, good_then_worse: Integers, tmp_path: Path
) -> None:
    release(engine, access, tmp_path, F1)  # its files are no model, so that nobody can have it answer
    current = running(engine)
    wanted = ({"vader": V1, "finbert": F1}, "finbert")
    pairs = weigh_promotion(engine, access, current, wanted, run_id="by hand", now=clock)
    intent = intent_of_promotion(engine, F1, "ada", "I know it", pairs)
    document = publish(engine, access, intent, holder="ada", now=clock, expected_revision=1).document
    assert document.evidence.figures[f"{F1} against {V1}"]["verdict"] == "not compared"
    assert f"{F1} could not be compared with {V1}" in offered(access).document.evidence.verdict


def test_what_was_decided_on_another_revision_is_refused_and_changes_nothing(
    engine: Engine, access: RegistryAccess, good_then_worse: Integers
) -> None:
    promote(engine, access, V2)
    for intent in (
        partial(intent_of_promotion, version=V1, actor="bob", reason="late"),
        partial(intent_of_rollback, actor="bob", reason="late"),
    ):
        with pytest.raises(ConflictError, match=r"deploy-000002 .*is in force, not revision 1"):
            publish(engine, access, intent, holder="bob", now=clock, expected_revision=1)
    assert offered(access).document.revision == 2
    # The negative control: who names what is in force goes on.
    back = partial(intent_of_rollback, actor="bob", reason="in time")
    assert publish(engine, access, back, holder="bob", now=clock, expected_revision=2).document.versions() == {"vader": V1}


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """What each does when all start together: its value, or the ConflictError that it was told."""
    barrier = Barrier(len(actions))

    def start(action: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return action()
        except ConflictError as error:
            return error

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(start, actions))


def test_of_two_rollbacks_at_once_one_is_told_and_the_good_version_stays(
    engine: Engine, access: RegistryAccess, good_then_worse: Integers
) -> None:
    bad = promote(engine, access, V2)

    def roll_back(actor: str) -> Deployment:
        intent = partial(intent_of_rollback, actor=actor, reason="it is worse")
        return publish(engine, access, intent, holder=actor, now=clock, expected_revision=bad.revision).document

    came_of_it = at_once(partial(roll_back, "ada"), partial(roll_back, "bob"))
    assert sorted(type(one).__name__ for one in came_of_it) == ["ConflictError", "Deployment"], came_of_it
    (conflict,) = (one for one in came_of_it if isinstance(one, ConflictError))
    assert conflict.remedy
    document = offered(access).document
    assert (document.revision, document.versions(), document.restores) == (3, {"vader": V1}, 1)
    # Nor does one that comes later, and names nothing, bring the bad version back.
    with pytest.raises(PermanentError, match="with other content that no rollback left"):
        intent_of_rollback(engine, "cyd", "again")
    assert intent_of_rollback(engine, "cyd", "I mean it", 2).champions == {"vader": V2}


def ask_back(engine: Engine, name: str) -> None:
    """`name` rolls back from revision 2 in serving."""
    back = RequestedSelection(
        request_id=name,
        family="vader",
        version=V1,
        actor=name,
        reason="it is worse",
        requested_at=NOW,
        expected_revision=2,
        restores=1,
    )
    with engine.begin() as connection:
        request_selection(connection, back)


def test_a_request_that_was_overtaken_is_refused_and_one_rollback_leaves_a_revision(
    engine: Engine, access: RegistryAccess, good_then_worse: Integers
) -> None:
    promote(engine, access, V2)
    came_of_it = at_once(partial(ask_back, engine, "ada"), partial(ask_back, engine, "bob"))
    assert sorted(type(one).__name__ for one in came_of_it) == ["ConflictError", "NoneType"]
    outcome = decide_and_publish(engine, access, run_id="back", now=clock)
    assert outcome.published is not None
    document = outcome.published.document
    assert (document.rule, document.restores, document.versions()) == ("rollback", 1, {"vader": V1})
    assert document.evidence.figures[f"{V1} against {V2}"]["verdict"] == "better"
    # Somebody who still looked at revision 2 wanted something else than what runs now.
    with engine.begin() as connection:
        late = RequestedSelection(
            request_id="late", family="vader", version=V2, actor="cyd", reason="late", requested_at=NOW, expected_revision=2
        )
        request_selection(connection, late)
    refused = decide_and_publish(engine, access, run_id="late", now=clock)
    assert refused.published is None
    assert "deploy-000003 was published since" in refused.refused[0]
    with engine.connect() as connection:
        newest = selections_page(connection, 1, 0)[0]
    assert (newest.request_id, newest.refusal) == ("late", refused.refused[0])


def test_what_a_rollback_left_stays_left_also_where_somebody_chose_on_top_before_it_was_published(
    engine: Engine, access: RegistryAccess, good_then_worse: Integers, tmp_path: Path
) -> None:
    release(engine, access, tmp_path, F1, answers(good_then_worse, 0.9, 5))
    promote(engine, access, V2)
    ask_back(engine, "ada")
    ask(engine, "on top", "finbert", F1, default_family="finbert")
    outcome = decide_and_publish(engine, access, run_id="both", now=clock)
    assert outcome.published is not None
    document = offered(access).document
    assert (document.revision, document.versions()) == (3, {"vader": V1, "finbert": F1})
    assert (document.rule, document.restores, document.actor) == ("manual", 1, "ada")
    assert "It includes a rollback to the content of revision 1." in document.evidence.verdict
    assert f"{F1} against {V2}" in document.evidence.figures, "weighed as a promotion is"
    with engine.connect() as connection:
        assert [one.published_revision for one in selections_page(connection, 5, 0)] == [3, 3]
    assert intent_of_rollback(engine, "cyd", "worse too").champions == {"vader": V1}, "not revision 2, which ada had left"


def test_a_request_that_a_later_one_replaced_is_superseded_and_a_rollback_that_was_undone_leaves_nothing(
    engine: Engine, access: RegistryAccess, good_then_worse: Integers, tmp_path: Path
) -> None:
    promote(engine, access, V2)
    ask_back(engine, "ada")
    ask(engine, "undo", "vader", V2)
    undone = decide_and_publish(engine, access, run_id="undone", now=clock)
    assert undone.published is None
    with engine.connect() as connection:
        assert [(one.published_revision, one.refusal) for one in selections_page(connection, 5, 0)] == [
            (2, None),
            (2, f"Superseded by the request of ada for {V2} (undo), published as deploy 2."),
        ]
    # So that somebody can go back from revision 2 again, and somebody else chooses another version after that.
    ask_back(engine, "bob")
    release(engine, access, tmp_path, V3, answers(good_then_worse, 0.5, 7))
    for name in ("one", "two"):
        ask(engine, name, "vader", V3)
    outcome = decide_and_publish(engine, access, run_id="replaced", now=clock)
    assert outcome.published is not None
    assert (outcome.published.document.rule, outcome.published.document.restores) == ("manual", None)
    with engine.connect() as connection:
        refusals = {one.request_id: one.refusal for one in selections_page(connection, 3, 0)}
        still = [one.request_id for one in open_selection_requests(connection, published_after=2)]
        assert open_selection_requests(connection, published_after=3) == []
    assert refusals == {
        "one": None,
        "two": None,
        "bob": f"Superseded by the request of ada for {V3} (two), published as deploy 3.",
    }
    assert still == ["bob", "one", "two"], "where revision 2 is live still, they answer until the next one is"
