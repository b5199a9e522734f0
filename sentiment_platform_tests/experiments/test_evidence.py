"""Evidence is made once, read by whoever asks, and refused where it is not what its digest names."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.error_budget import level_of
from sentiment_platform.experiments.evidence import (
    MINIMUM_TEXTS,
    GateEvidence,
    RecordedEvidence,
    newest_evidence,
    record_evidence,
)
from sentiment_platform.experiments.holdout_comparison import compare_on_holdout, store_comparison
from sentiment_platform.experiments.scoring import WEIGHTS, Weights
from sentiment_platform_tests.promotion.seeding import NOW, answers, make_evidence, register, truth, write_holdout

V1, F1 = "v1.0.0-vader", "v1.0.0-finbert"


def seed(engine: Engine, texts: int = 200) -> None:
    labels = truth(texts)
    write_holdout(engine, labels)
    register(engine, V1, answers(labels, 0.5, 1))
    register(engine, F1, answers(labels, 0.9, 2))


def read(engine: Engine) -> RecordedEvidence | None:
    with engine.connect() as connection:
        return newest_evidence(connection)


def rows(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT digest FROM platform.gate_evidence ORDER BY id")).scalars())


def test_what_was_made_is_read_and_making_it_again_adds_nothing(engine: Engine) -> None:
    assert read(engine) is None
    seed(engine)
    made = compare_on_holdout(engine, NOW).evidence()
    name = make_evidence(engine, "run-1")
    assert read(engine) == RecordedEvidence(made, name, "run-1", NOW)
    assert make_evidence(engine, "run-2") == name
    assert (rows(engine), read(engine)) == ([name], RecordedEvidence(made, name, "run-1", NOW))
    assert (made.n, made.objection(), made.proposal.default_family) == (200, None, "finbert")


def test_other_weights_change_later_evidence_and_leave_what_is_stored(engine: Engine) -> None:
    seed(engine)
    made = compare_on_holdout(engine, NOW).evidence()
    weights = Weights(accuracy=0.5, calibration=0.4, latency=0.1)
    pairs = tuple(
        msgspec.structs.replace(pair, scores=tuple(msgspec.structs.replace(one, weights=weights) for one in pair.scores or ()))
        for pair in made.comparisons
    )
    with engine.begin() as connection:
        record_evidence(connection, msgspec.structs.replace(made, comparisons=pairs), run_id="before", made_at=NOW)
    before = read(engine)
    make_evidence(engine, "after")
    after = read(engine)
    assert before is not None
    assert after is not None
    assert before.digest != after.digest
    for recorded, expected in ((before, weights), (after, WEIGHTS)):
        assert {one.weights for pair in recorded.evidence.comparisons for one in pair.scores or ()} == {expected}


def test_evidence_that_is_made_once_more_after_other_evidence_is_the_newest_again(engine: Engine) -> None:
    seed(engine)
    first = make_evidence(engine)
    other = msgspec.structs.replace(compare_on_holdout(engine, NOW).evidence(), training_set="cd" * 32)
    with engine.begin() as connection:
        second = record_evidence(connection, other, run_id="run", made_at=NOW)
    assert make_evidence(engine) == first
    assert rows(engine) == [first, second, first]
    newest = read(engine)
    assert newest is not None
    assert newest.digest == first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("""document = jsonb_set(document, '{proposal,default_family}', '"vader"')""", "is not what its digest"),
        ("""document = jsonb_set(document, '{comparisons,0,adjusted_p}', '0.5')""", "is not what its digest"),
        ("""document = jsonb_set(document, '{contenders,revision}', '7')""", "is not what its digest"),
        ("digest = repeat('0', 64)", "is not what its digest"),
        ("document = document - 'proposal'", "cannot be read"),
        ("""document = document || '{"more": 1}'""", "cannot be read"),
    ],
)
def test_a_row_that_is_not_what_its_digest_names_is_refused_until_it_is_made_again(
    engine: Engine, change: str, message: str
) -> None:
    seed(engine)
    make_evidence(engine)
    intact = read(engine)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE platform.gate_evidence SET {change}"))
    with pytest.raises(PermanentError, match=f"{message}.*Materialize the asset ab_evaluation again"):
        read(engine)
    make_evidence(engine)
    newest = read(engine)
    assert intact is not None
    assert newest is not None
    assert (newest.digest, newest.evidence) == (intact.digest, intact.evidence)


@pytest.mark.parametrize(
    "changes",
    [{"default_family": "vader"}, {"champions": {"vader": V1}}, {"rule": "gate"}, {"changes": False}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_proposal_that_does_not_follow_from_the_verdicts_is_objected_to(engine: Engine, changes: dict[str, Any]) -> None:
    seed(engine)
    evidence = compare_on_holdout(engine, NOW).evidence()
    forged = msgspec.structs.replace(evidence.proposal, **changes)
    assert evidence.objection() is None
    objection = msgspec.structs.replace(evidence, proposal=forged).objection()
    assert objection == "The proposal does not follow from the verdicts. Materialize the asset ab_evaluation again."


@pytest.mark.parametrize(("texts", "enough"), [(MINIMUM_TEXTS - 1, False), (MINIMUM_TEXTS, True)])
def test_evidence_on_too_few_texts_is_objected_to(engine: Engine, texts: int, enough: bool) -> None:
    seed(engine, texts)
    evidence: GateEvidence = compare_on_holdout(engine, NOW).evidence()
    expected = f"The evidence rests on {texts} holdout texts; {MINIMUM_TEXTS} are needed. Import more labels."
    assert evidence.objection() == (None if enough else expected)


def test_each_evidence_says_which_attempt_of_the_year_it_is_and_one_made_again_is_none(engine: Engine) -> None:
    def attempt(day: int) -> tuple[int, float]:
        compared = compare_on_holdout(engine, NOW + timedelta(days=day))
        store_comparison(engine, compared, run_id=f"day {day}", made_at=NOW + timedelta(days=day))
        evidence = compared.evidence()
        assert evidence.words().startswith(f"Attempt {evidence.attempt} of 52 a year")
        assert {pair.level for pair in evidence.comparisons if pair.read} == {evidence.level}
        return evidence.attempt, evidence.level

    seed(engine)
    assert attempt(0) == attempt(1) == (1, level_of(1))
    labels = truth(200)
    register(engine, "v1.1.0-finbert", answers(labels, 0.9, 3))
    assert attempt(7) == attempt(8) == (2, level_of(2))
    register(engine, "v1.2.0-finbert", answers(labels, 0.9, 4))
    assert attempt(14) == (3, level_of(3))
    assert attempt(14 + 366) == (1, level_of(1)), "a year later"


def test_evidence_of_an_earlier_release_is_an_attempt_too_and_is_made_again(engine: Engine) -> None:
    seed(engine)
    make_evidence(engine)
    register(engine, "v1.1.0-finbert", answers(truth(200), 0.9, 3))
    with engine.begin() as connection:
        old = "document - 'attempt' - 'level' - 'floors' #- '{comparisons,0,stories}'"
        connection.execute(text(f"UPDATE platform.gate_evidence SET document = {old}"))
    with pytest.raises(PermanentError, match=r"cannot be read.*Materialize the asset ab_evaluation again"):
        read(engine)
    make_evidence(engine)
    newest = read(engine)
    assert newest is not None
    assert newest.evidence.attempt == 2
