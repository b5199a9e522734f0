"""What the asset `deployment` does: settle what people asked for, then what the gate proposes; publish only what changes.

What the gate proposes is read from the stored evidence. Nothing is compared here.
"""

from dataclasses import dataclass
from datetime import UTC
from functools import partial

from sqlalchemy import Engine

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError
from sentiment_platform.experiments.evidence import MAKE_IT_AGAIN, NO_EVIDENCE, RecordedEvidence, newest_evidence
from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.promotion.grounds import weigh_promotion, weigh_rollback
from sentiment_platform.promotion.mirror import synchronise_mirror
from sentiment_platform.promotion.next_revision import Intent, Promoted, publish
from sentiment_platform.promotion.requests import refuse_impossible_requests, requested_content, settle_requests
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Deployment, Evidence
from sentiment_platform.registry.lifecycle import MEANING, state_of
from sentiment_platform.registry.versions import DeploymentTag
from sentiment_platform.statistics.estimate import MACRO_F1
from sentiment_platform.store.deployments import latest_deployment
from sentiment_platform.store.flags import is_enabled
from sentiment_platform.store.incidents import promotion_freeze
from sentiment_platform.store.lifecycle import read_documents
from sentiment_platform.store.versions import all_versions

GATE_ACTOR = "gate"
SWITCHED_OFF = "Automatic promotion is switched off (`sentiment-platform flags list`),"
LIFT = "Acknowledge that alert to lift it (`sentiment-platform alerts acknowledge`), or promote the version by hand."


@dataclass(frozen=True)
class Outcome:
    """What runs after the decision, and why; `published` is None where nothing changed. `refused`: why requests cannot be met."""

    published: Promoted | None
    running: Deployment | None
    reason: str
    refused: tuple[str, ...] = ()


def decide_and_publish(engine: Engine, access: RegistryAccess, *, run_id: str, now: Clock) -> Outcome:
    """One new revision at most, and none where the intended content runs already.

    A person's request goes before the gate, which is asked again when there is evidence against the new revision; what is wanted is
    compared with what runs before it is published, and the document keeps what came of it. The registry is read
    first: a run that died after publishing has left a revision that the database does not know.
    """
    with access.writer(now) as registry:
        synchronise_mirror(engine, registry)
    refused = tuple(refuse_impossible_requests(engine, now))
    requested, current = requested_content(engine), running(engine)
    if requested is None or current is None:
        return _follow_evidence(engine, access, refused, run_id=run_id, now=now)
    reason = requested.newest.reason
    if _content(current) == (dict(requested.champions), requested.default_family):
        settle_requests(engine, requested, current.revision)
        return Outcome(None, current, f"{current.tag} runs what was requested: {reason}", refused)
    if requested.rule == "manual":
        pairs = weigh_promotion(engine, access, current, requested.content, run_id=run_id, now=now)
    else:
        pairs = weigh_rollback(engine, current, requested.content, run_id=run_id)
    intent = requested.intent(pairs)
    published = publish(engine, access, intent, holder=run_id, now=now, expected_revision=current.revision)
    settle_requests(engine, requested, published.revision)
    return Outcome(published, published.document, reason, refused)


def _follow_evidence(engine: Engine, access: RegistryAccess, refused: tuple[str, ...], *, run_id: str, now: Clock) -> Outcome:
    current = running(engine)
    with engine.connect() as connection:
        recorded = newest_evidence(connection)
        freeze = promotion_freeze(connection)
        allowed = is_enabled(connection, "automatic_promotion")
    if recorded is None:
        return Outcome(None, current, NO_EVIDENCE, refused)
    proposal = recorded.evidence.proposal
    if current is not None and _content(current) == (proposal.champions, proposal.default_family):
        reason = f"{current.tag} is what was proposed: {proposal.reason}" if proposal.changes else proposal.reason
        return Outcome(None, current, reason, refused)
    if objection := _objection(recorded, current):
        return Outcome(None, current, objection, refused)
    if not allowed:
        return Outcome(None, current, f"{SWITCHED_OFF} although {proposal.reason}", refused)
    if freeze is not None:
        frozen = (
            f"Frozen since {freeze.opened_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, although {proposal.reason}: {freeze.summary}"
        )
        return Outcome(None, current, f"{frozen} {LIFT}", refused)
    published = publish(engine, access, partial(intent_of_evidence, recorded=recorded), holder=run_id, now=now)
    return Outcome(published, published.document, proposal.reason, refused)


def intent_of_evidence(engine: Engine, recorded: RecordedEvidence) -> Intent:
    """What the gate proposes, on the grounds that are recorded; for `publish` to ask.

    Raises:
        ConflictError: something speaks against it, such as another revision that was published since.
    """
    if objection := _objection(recorded, running(engine)):
        raise ConflictError(objection, remedy="")
    evidence, proposal = recorded.evidence, recorded.evidence.proposal
    figures = {
        f"{pair.b} against {pair.a}": {
            MACRO_F1: pair.macro_f1.difference.value,
            "p": pair.mcnemar.p_value,
            "n": pair.n,
            "verdict": pair.verdict,
            "in_sample": pair.in_sample,
        }
        for pair in evidence.comparisons
    }
    grounds = Evidence(
        ("ab_evaluation",), (recorded.run_id,), figures | {"gate_evidence": recorded.digest}, evidence.words()[:4000]
    )
    return Intent(
        champions=proposal.champions,
        default_family=proposal.default_family,
        rule=proposal.rule,
        actor=GATE_ACTOR,
        reason=proposal.reason,
        evidence=grounds,
    )


def _objection(recorded: RecordedEvidence, current: Deployment | None) -> str | None:
    """Why the evidence says nothing about what runs now, with the remedy: it was made against something else, or is none at all."""
    made_against, in_force = recorded.evidence.contenders.revision, current.revision if current else 0
    if made_against != in_force:
        return f"The evidence was made against {_named(made_against)}; {_named(in_force)} runs now. {MAKE_IT_AGAIN}"
    return recorded.evidence.objection()


def _named(revision: int) -> str:
    return str(DeploymentTag(revision)) if revision else "no deployment"


def _content(document: Deployment) -> tuple[dict[str, str], str]:
    return document.versions(), document.default_family


def states_table(engine: Engine) -> str:
    """Markdown: every registered version and where it stands."""
    with engine.connect() as connection:
        documents = read_documents(connection)
        names = [version.version for version in all_versions(connection)]
    rows = [(name, state := state_of(name, documents), MEANING[state]) for name in names]
    return markdown_table(("version", "state", "meaning"), rows)


def running(engine: Engine) -> Deployment | None:
    """The newest deployment that the database knows."""
    with engine.connect() as connection:
        return latest_deployment(connection)
