from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.models.family import Integers
from sentiment_platform.promotion.deciding import Outcome, decide_and_publish, running
from sentiment_platform.promotion.intents import intent_of_promotion, intent_of_rollback
from sentiment_platform.promotion.next_revision import publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store import audit, leases
from sentiment_platform.store.acknowledgements import write_acknowledgement
from sentiment_platform.store.deployments import deployments, get_deployment
from sentiment_platform.store.flags import set_flag
from sentiment_platform.store.incidents import FREEZES_PROMOTION, Incident, open_incident, open_incidents
from sentiment_platform.store.selections import open_selection_requests
from sentiment_platform_tests.promotion.seeding import (
    NOW,
    answers,
    ask,
    clock,
    make_evidence,
    offered,
    release,
    truth,
    write_holdout,
)
from sentiment_platform_tests.promotion.stepping import Died, SteppedAccess, dies_after

V1, V2, F1 = "v1.0.0-vader", "v1.1.0-vader", "v1.0.0-finbert"


def decide(engine: Engine, access: RegistryAccess, run: str = "run") -> Outcome:
    """A run of `ab_evaluation` and `deployment`."""
    make_evidence(engine, run)
    return decide_and_publish(engine, access, run_id=run, now=clock)


def published(access: RegistryAccess) -> list[int]:
    with access.writer(clock) as registry:
        return [entry.revision for entry in registry.history()]


def audited(engine: Engine) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        assert audit.verify(connection) == []
        rows = connection.execute(text("SELECT subject, action, actor FROM platform.audit_log ORDER BY id"))
        return [(row.subject, row.action, row.actor) for row in rows]


def open_requests(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [request.request_id for request in open_selection_requests(connection)]


def test_the_first_version_is_deployed_and_the_next_run_changes_nothing(
    engine: Engine, access: RegistryAccess, labels: Integers
) -> None:
    first = decide(engine, access)
    assert first.published is not None
    assert (first.published.tag, first.published.document.rule) == ("deploy-000001", "bootstrap")
    assert offered(access).document == first.running == running(engine)
    second = decide(engine, access)
    assert (second.published, second.running, second.reason) == (None, first.running, "nothing is better than what runs")
    assert published(access) == [1]
    assert audited(engine) == [("deploy-000001", "deploy:bootstrap", "gate")]


def test_a_better_version_follows_with_its_evidence_and_an_equal_one_does_not(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    first = decide(engine, access)
    release(engine, access, tmp_path, "v1.0.1-vader", answers(labels, 0.5, 9))
    assert decide(engine, access).published is None
    release(engine, access, tmp_path, V2, answers(labels, 0.8, 2))
    outcome = decide(engine, access, run="run-7")
    document = offered(access).document
    assert (document.revision, document.rule, document.actor) == (2, "gate", "gate")
    assert {family: champion.version for family, champion in document.champions.items()} == {"vader": V2}
    assert first.running is not None
    assert document.previous == first.running.as_previous()
    assert document.evidence.run_ids == ("run-7",)
    figures = document.evidence.figures[f"{V2} against {V1}"]
    assert (figures["verdict"], figures["in_sample"]) == ("better", False)
    assert f"{V2} is better than {V1} on 200 holdout texts" in document.evidence.verdict
    assert outcome.reason == f"{V2} is better than {V1}"


def test_critical_drift_freezes_what_is_better_until_a_person_acknowledges_it_or_it_is_over(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    decide(engine, access)
    drift = Incident(
        fingerprint="drift",
        category="data_quality",
        severity="critical",
        source="drift_is_within_bounds",
        summary="Half of the features drifted.",
        detail={FREEZES_PROMOTION: True},
    )
    with engine.begin() as connection:
        open_incident(connection, drift, clock())
        (incident,) = open_incidents(connection)
    release(engine, access, tmp_path, V2, answers(labels, 0.8, 2))
    frozen = decide(engine, access)
    assert frozen.published is None
    assert frozen.reason.startswith("Frozen since ")
    assert f"although {V2} is better than {V1}: Half of the features drifted." in frozen.reason
    assert published(access) == [1]
    with engine.begin() as connection:
        write_acknowledgement(connection, incident.id, at=clock(), by="ann", note=None, severity="critical")
    assert decide(engine, access).published is not None
    assert published(access) == [1, 2]


def test_a_version_that_is_better_in_sample_only_is_promoted_by_a_named_person_alone(
    engine: Engine, access: RegistryAccess, tmp_path: Path
) -> None:
    labels, f2 = truth(200), "v1.1.0-finbert"
    write_holdout(engine, labels, label_set="phrasebank-50")
    release(engine, access, tmp_path, F1, answers(labels, 0.5, 1), base="ProsusAI/finbert")
    assert decide(engine, access).published is not None
    release(engine, access, tmp_path, f2, answers(labels, 0.8, 2), base="ProsusAI/finbert")
    refused = decide(engine, access)
    assert refused.published is None
    assert f"{f2} looks better than {F1} but the comparison is in-sample" in refused.reason
    intent = partial(intent_of_promotion, version=f2, actor="ada", reason="better on sentences of our own")
    publish(engine, access, intent, holder="ada", now=clock)
    assert offered(access).document.champions["finbert"].version == f2
    assert audited(engine)[-1] == ("deploy-000002", "deploy:manual", "ada")


def test_without_any_version_nothing_is_deployed(engine: Engine, access: RegistryAccess) -> None:
    write_holdout(engine, truth(20))
    outcome = decide_and_publish(engine, access, run_id="run", now=clock)
    assert outcome == Outcome(None, None, "No evidence is stored yet. Materialize the asset ab_evaluation.")
    assert published(access) == []


def test_what_a_person_selected_goes_first_and_is_settled(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    decide(engine, access)
    release(engine, access, tmp_path, V2, answers(labels, 0.8, 2))
    release(engine, access, tmp_path, F1, answers(labels, 0.4, 3))
    ask(engine, "one", "finbert", F1)
    outcome = decide(engine, access)
    assert outcome.published is not None
    document = outcome.published.document
    assert (document.rule, document.actor, document.reason) == ("manual", "ada", "because of one")
    assert (document.default_family, {c.version for c in document.champions.values()}) == ("vader", {V1, F1})
    assert open_requests(engine) == []
    ask(engine, "two", "finbert", F1, default_family="finbert")
    outcome = decide_and_publish(engine, access, run_id="default", now=clock)
    assert outcome.published is not None
    assert (outcome.published.document.default_family, open_requests(engine)) == ("finbert", [])
    # The gate is asked in the next run, about the version that is new.
    outcome = decide(engine, access)
    assert outcome.published is not None
    assert outcome.published.document.champions["vader"].version == V2
    assert published(access) == [1, 2, 3, 4]
    assert audited(engine)[1] == ("deploy-000002", "deploy:manual", "ada")


def test_with_automatic_promotion_switched_off_the_gate_publishes_nothing(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    decide(engine, access)
    release(engine, access, tmp_path, V2, answers(labels, 0.8, 2))

    def turn(enabled: bool) -> None:
        with engine.begin() as connection:
            set_flag(connection, "automatic_promotion", enabled=enabled, expected=None, reason="test", actor="ada", at=NOW)

    turn(False)
    held = decide(engine, access)
    assert held.published is None
    assert "Automatic promotion is switched off" in held.reason
    turn(True)
    assert decide(engine, access).published is not None, "the control: switched on it follows the evidence"


def test_the_default_that_a_person_chose_is_not_undone_without_new_evidence(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    release(engine, access, tmp_path, F1, answers(labels, 0.9, 3))
    first = decide(engine, access)
    assert first.running is not None
    assert first.running.default_family == "finbert"
    ask(engine, "one", "vader", V1, default_family="vader")
    second = decide(engine, access)
    assert second.running is not None
    assert second.running.default_family == "vader"
    assert decide(engine, access).published is None
    assert published(access) == [1, 2]


def test_several_requests_make_one_revision_and_the_newest_leads(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    decide(engine, access)
    for version in (V2, F1):
        release(engine, access, tmp_path, version, answers(labels, 0.5, 3))
    for number, (family, version) in enumerate([("finbert", F1), ("vader", V1), ("vader", V2), ("vader", V2)]):
        ask(engine, f"request {number}", family, version)
    outcome = decide(engine, access)
    assert outcome.published is not None
    assert outcome.published.revision == 2
    document = offered(access).document
    assert ({c.version for c in document.champions.values()}, document.default_family) == ({V2, F1}, "vader")
    assert document.reason == "because of request 3"
    assert open_requests(engine) == []


def test_a_request_for_what_runs_is_settled_without_a_revision(engine: Engine, access: RegistryAccess, labels: Integers) -> None:
    decide(engine, access)
    ask(engine, "one", "vader", V1)
    outcome = decide(engine, access)
    assert outcome.published is None
    assert "runs what was requested" in outcome.reason
    assert open_requests(engine) == []
    assert published(access) == [1]


@pytest.mark.parametrize(
    ("family", "version"), [("vader", "v7.0.0-vader"), ("finbert", V1)], ids=["unregistered", "of another family"]
)
def test_a_request_that_cannot_be_met_is_refused_once_and_stands_in_nobodys_way(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path, family: str, version: str
) -> None:
    decide(engine, access)
    release(engine, access, tmp_path, V2, answers(labels, 0.5, 2))
    ask(engine, "good", "vader", V2)
    ask(engine, "impossible", family, version)
    outcome = decide(engine, access)
    reason = f"{version} is not a registered version of {family}."
    assert outcome.published is not None
    assert (outcome.published.document.models().keys(), outcome.reason) == ({V2}, "because of good")
    assert outcome.refused == (reason,)
    assert audited(engine)[1:] == [(version, "selection:refused", "graph"), ("deploy-000002", "deploy:manual", "ada")]
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT published_revision, refusal FROM platform.selection_requests ORDER BY id"))
        assert [tuple(row) for row in rows] == [(2, None), (None, reason)]
        detail = connection.execute(text("SELECT detail FROM platform.audit_log WHERE action = 'selection:refused'")).scalar_one()
    assert detail == {"request_id": "impossible", "requested_by": "ada", "reason": reason}
    assert open_requests(engine) == []
    again = decide(engine, access)
    assert (again.published, again.refused) == (None, ())


def test_a_rollback_and_a_promotion_start_from_what_runs_and_not_from_what_the_mirror_knows(
    engine: Engine, settings: Settings, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    decide(engine, access)
    for version in (V2, F1):
        release(engine, access, tmp_path, version, answers(labels, 0.5, 3))
    dying = SteppedAccess(settings, dies_after("published"))
    with pytest.raises(Died):
        publish(engine, dying, partial(intent_of_promotion, version=F1, actor="bob", reason="new"), holder="bob", now=clock)
    assert mirrored(engine) == [1]
    intent = partial(intent_of_promotion, version=V2, actor="ada", reason="newer")
    promoted = publish(engine, access, intent, holder="ada", now=clock)
    # Bob's champion stays: the mirror did not know of it when Ada began.
    assert (promoted.revision, set(promoted.document.models())) == (3, {V2, F1})
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM platform.deployments WHERE revision > 1"))
    back = publish(engine, access, partial(intent_of_rollback, actor="ada", reason="back"), holder="ada", now=clock)
    assert (back.revision, set(back.document.models())) == (4, {V1, F1})


def mirrored(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return [mirrored.document.revision for mirrored in deployments(connection)]


def test_a_rollback_is_a_new_revision_with_earlier_content_which_the_gate_does_not_undo(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    decide(engine, access)
    release(engine, access, tmp_path, V2, answers(labels, 0.8, 2))
    decide(engine, access)
    intent = partial(intent_of_rollback, actor="ada", reason="complaints")
    back = publish(engine, access, intent, holder="ada", now=clock)
    document = offered(access).document
    assert document == back.document
    assert (document.revision, document.rule, document.models()) == (3, "rollback", intent_models(engine, 1))
    assert document.evidence.figures == {"restores": 1}
    # On the holdout v1.1.0 is still better; it ran and was taken back, so it returns by a person's word alone.
    assert decide(engine, access).published is None
    intent = partial(intent_of_promotion, version=V2, actor="ada", reason="fixed")
    forward = publish(engine, access, intent, holder="ada", now=clock)
    assert (forward.revision, forward.document.champions["vader"].version) == (4, V2)
    assert [entry[1] for entry in audited(engine)] == ["deploy:bootstrap", "deploy:gate", "deploy:rollback", "deploy:manual"]
    to_first = intent_of_rollback(engine, "ada", "again", to_revision=1)
    assert dict(to_first.champions) == {"vader": V1}


def intent_models(engine: Engine, revision: int) -> dict[str, str]:
    with engine.connect() as connection:
        deployed = get_deployment(connection, revision)
    assert deployed is not None
    return deployed.document.models()


def test_there_must_be_something_to_go_back_to(engine: Engine, access: RegistryAccess, labels: Integers) -> None:
    with pytest.raises(PermanentError, match="Nothing has been deployed yet"):
        intent_of_rollback(engine, "ada", "why")
    decide(engine, access)
    refusals = {
        None: "no earlier deployment than deploy-000001",
        1: "Revision 1 is what runs now",
        7: "Revision 7 is not known here",
    }
    for revision, refusal in refusals.items():
        with pytest.raises(PermanentError, match=refusal):
            intent_of_rollback(engine, "ada", "why", revision)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["draft created", "deployment.json uploaded", "tag taken", "published"])
@pytest.mark.parametrize("requested", [False, True], ids=["gate", "request"])
def test_a_run_that_dies_anywhere_is_made_good_by_the_next(
    engine: Engine, settings: Settings, access: RegistryAccess, labels: Integers, tmp_path: Path, step: str, requested: bool
) -> None:
    decide(engine, access)
    release(engine, access, tmp_path, V2, answers(labels, 0.5 if requested else 0.8, 2))
    if requested:
        ask(engine, "one", "vader", V2)
    with pytest.raises(Died):
        decide(engine, SteppedAccess(settings, dies_after(step)), run="dead")
    assert mirrored(engine) == [1]
    outcome = decide(engine, access, run="next")
    assert (outcome.published is None) == (step == "published")
    assert published(access) == [1, 2]
    document = offered(access).document
    assert (document, document.champions["vader"].version) == (running(engine), V2)
    assert open_requests(engine) == []
    rule, actor = ("deploy:manual", "ada") if requested else ("deploy:gate", "gate")
    assert audited(engine) == [("deploy-000001", "deploy:bootstrap", "gate"), ("deploy-000002", rule, actor)]
    with engine.connect() as connection:
        newest = deployments(connection)[0]
    with access.writer(clock) as registry:
        entry = registry.history()[-1]
    assert (newest.digest, newest.published_at, str(newest.document.tag)) == (entry.digest, entry.published_at, "deploy-000002")
    assert decide(engine, access).published is None


def test_while_somebody_else_publishes_nothing_is_published(engine: Engine, access: RegistryAccess, labels: Integers) -> None:
    other = leases.acquire(engine, "deployment", "other run", 60)
    with pytest.raises(ConflictError, match="deployment is being written by other run"):
        decide(engine, access)
    assert published(access) == []
    leases.release(engine, other)
    assert decide(engine, access).published is not None
