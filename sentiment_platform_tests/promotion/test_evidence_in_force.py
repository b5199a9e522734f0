"""The gate follows the stored evidence, and nothing else; where the evidence is gone, stale or changed, people's requests still pass."""

from dataclasses import fields
from functools import partial
from pathlib import Path

import dagster as dg
import msgspec
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.experiments import comparing
from sentiment_platform.experiments.assets import ab_evaluation
from sentiment_platform.experiments.checks import the_verdict_rests_on_evidence
from sentiment_platform.experiments.comparison import Verdict
from sentiment_platform.experiments.evidence import GateEvidence, newest_evidence, record_evidence
from sentiment_platform.experiments.gate import propose
from sentiment_platform.models.family import Integers
from sentiment_platform.promotion.assets import deployment
from sentiment_platform.promotion.deciding import Outcome, decide_and_publish, intent_of_evidence, running
from sentiment_platform.promotion.intents import intent_of_promotion
from sentiment_platform.promotion.next_revision import publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.promotion.seeding import NOW, answers, ask, clock, make_evidence, release, truth, write_holdout

V1, V2, V3 = "v1.0.0-vader", "v1.1.0-vader", "v1.2.0-vader"
AGAIN = "Materialize the asset ab_evaluation again."


def follow(engine: Engine, access: RegistryAccess) -> Outcome:
    """What `deployment` does, without a new `ab_evaluation` before it."""
    return decide_and_publish(engine, access, run_id="run", now=clock)


def evidence_of(engine: Engine) -> GateEvidence:
    with engine.connect() as connection:
        recorded = newest_evidence(connection)
    assert recorded is not None
    return recorded.evidence


@pytest.fixture
def better(engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path) -> None:
    """v1.0.0-vader is deployed, v1.1.0-vader is released and better, and the evidence says so."""
    make_evidence(engine)
    follow(engine, access)
    release(engine, access, tmp_path, V2, answers(labels, 0.8, 2))
    make_evidence(engine, "run of the evidence")


@pytest.mark.usefixtures("better")
def test_what_is_deployed_names_the_evidence_and_the_run_that_made_it(engine: Engine, access: RegistryAccess) -> None:
    with engine.connect() as connection:
        recorded = newest_evidence(connection)
    outcome = follow(engine, access)
    assert recorded is not None
    assert outcome.published is not None
    grounds = outcome.published.document.evidence
    assert (grounds.run_ids, grounds.figures["gate_evidence"]) == (("run of the evidence",), recorded.digest)
    assert grounds.verdict == recorded.evidence.words()
    again = follow(engine, access)
    assert (again.published, again.reason) == (None, f"deploy-000002 is what was proposed: {V2} is better than {V1}")


@pytest.mark.usefixtures("better")
@pytest.mark.parametrize("verdict", ["better", "no difference shown", "worse"])
def test_the_gate_follows_a_row_that_says_something_else_under_the_right_digest(
    engine: Engine, access: RegistryAccess, verdict: Verdict
) -> None:
    evidence = evidence_of(engine)
    (pair,) = evidence.comparisons
    other = (msgspec.structs.replace(pair, verdict=verdict),)
    proposal = propose(evidence.contenders, other)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM platform.gate_evidence"))
        edited = msgspec.structs.replace(evidence, comparisons=other, proposal=proposal)
        record_evidence(connection, edited, run_id="run", made_at=NOW)
    outcome = follow(engine, access)
    assert outcome.running is not None
    assert set(outcome.running.models()) == {V2 if verdict == "better" else V1}


@pytest.mark.usefixtures("better")
@pytest.mark.parametrize("selected", [False, True])
def test_the_gate_refuses_a_row_that_was_changed_and_a_selection_passes_all_the_same(
    engine: Engine, access: RegistryAccess, selected: bool
) -> None:
    with engine.begin() as connection:
        change = """jsonb_set(document, '{comparisons,0,verdict}', '"worse"')"""
        connection.execute(text(f"UPDATE platform.gate_evidence SET document = {change}"))
    if selected:
        ask(engine, "one", "vader", V2)
        assert follow(engine, access).published is not None
    else:
        with pytest.raises(PermanentError, match=f"is not what its digest.*{AGAIN}"):
            follow(engine, access)
    now_running = running(engine)
    assert now_running is not None
    assert now_running.rule == ("manual" if selected else "bootstrap")


@pytest.mark.usefixtures("better")
def test_evidence_against_another_revision_proposes_nothing_until_it_is_made_again(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    release(engine, access, tmp_path, V3, answers(labels, 0.9, 3))
    intent = partial(intent_of_promotion, version=V3, actor="ada", reason="wanted")
    publish(engine, access, intent, holder="ada", now=clock)
    outcome = follow(engine, access)
    assert outcome.published is None
    assert outcome.reason == f"The evidence was made against deploy-000001; deploy-000002 runs now. {AGAIN}"
    ask(engine, "one", "vader", V2)
    selected = follow(engine, access).published
    assert selected is not None
    assert set(selected.document.models()) == {V2}
    make_evidence(engine)
    assert follow(engine, access).reason == "nothing is better than what runs"


@pytest.mark.usefixtures("better")
def test_evidence_that_becomes_stale_while_the_lease_is_taken_publishes_nothing(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    with engine.connect() as connection:
        recorded = newest_evidence(connection)
    assert recorded is not None
    assert dict(intent_of_evidence(engine, recorded).champions) == {"vader": V2}
    release(engine, access, tmp_path, V3, answers(labels, 0.9, 3))
    intent = partial(intent_of_promotion, version=V3, actor="ada", reason="wanted")
    publish(engine, access, intent, holder="ada", now=clock)
    with pytest.raises(ConflictError, match="made against deploy-000001; deploy-000002 runs now"):
        publish(engine, access, partial(intent_of_evidence, recorded=recorded), holder="run", now=clock)
    now_running = running(engine)
    assert now_running is not None
    assert set(now_running.models()) == {V3}


@pytest.mark.usefixtures("better")
def test_without_evidence_a_selection_is_published_and_the_gate_proposes_nothing(engine: Engine, access: RegistryAccess) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM platform.gate_evidence"))
    outcome = follow(engine, access)
    assert (outcome.published, outcome.reason) == (None, "No evidence is stored yet. Materialize the asset ab_evaluation.")
    ask(engine, "one", "vader", V2)
    assert follow(engine, access).published is not None


def test_too_little_evidence_is_not_followed_by_a_run_that_has_not_checked_it(
    engine: Engine, access: RegistryAccess, tmp_path: Path
) -> None:
    labels = truth(49)
    write_holdout(engine, labels)
    release(engine, access, tmp_path, V1, answers(labels, 0.5, 1))
    make_evidence(engine)
    outcome = follow(engine, access)
    assert outcome.running is None
    assert outcome.reason == "The evidence rests on 49 holdout texts; 50 are needed. Import more labels."


@pytest.mark.usefixtures("better")
def test_one_run_compares_each_pair_once(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the evidence was stored there were three bootstraps a pair: of the asset, of its check and of `deployment`."""
    pairs: list[int] = []
    bootstrap = comparing.paired_bootstrap
    monkeypatch.setattr(
        comparing, "paired_bootstrap", lambda *given, **named: (pairs.append(named["seed"]), bootstrap(*given, **named))[1]
    )
    overrides = {item.metadata["variable"]: str(getattr(settings, item.name)) for item in fields(settings)}
    platform = PlatformResource(overrides=overrides, fixed_now=NOW.isoformat())
    with dg.DagsterInstance.ephemeral() as instance:
        assets = [ab_evaluation, the_verdict_rests_on_evidence, deployment]
        result = dg.materialize(assets, instance=instance, resources={"platform": platform})
    platform.engine().dispose()
    assert result.asset_materializations_for_node("deployment")[0].metadata["published_now"].value is True
    assert len(pairs) == 1
