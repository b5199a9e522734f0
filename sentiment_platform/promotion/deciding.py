"""What the asset `deployment` does: settle what people asked for, then what the gate proposes; publish only what changes."""

from dataclasses import dataclass

from sqlalchemy import Engine

from sentiment_platform.clock import Clock
from sentiment_platform.experiments.offline import standing
from sentiment_platform.promotion.next_revision import (
    Intent,
    Promoted,
    intent_of_request,
    publish,
    refuse_impossible_requests,
    settle_requests,
    synchronise_mirror,
)
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Deployment, Evidence
from sentiment_platform.store.deployments import latest_deployment

GATE_ACTOR = "gate"


@dataclass(frozen=True)
class Outcome:
    """What runs after the decision, and why; `published` is None where nothing changed. `refused`: why requests cannot be met."""

    published: Promoted | None
    running: Deployment | None
    reason: str
    refused: tuple[str, ...] = ()


def decide_and_publish(engine: Engine, access: RegistryAccess, *, run_id: str, now: Clock) -> Outcome:
    """One new revision at most, and none where the intended content runs already.

    A person's request goes before the gate, which is asked again in the next run. The registry is read first: a run that died after
    publishing has left a revision that the database does not know.
    """
    with access.writer(now) as registry:
        synchronise_mirror(engine, registry)
    refused = tuple(refuse_impossible_requests(engine, now))
    requested = intent_of_request(engine)
    if requested is not None:
        intent, ids = requested
        current = running(engine)
        if current is not None and _content(current) == (dict(intent.champions), intent.default_family):
            settle_requests(engine, ids, current.revision)
            return Outcome(None, current, f"{current.tag} runs what was requested: {intent.reason}", refused)
        published = publish(engine, access, intent, holder=run_id, now=now)
        settle_requests(engine, ids, published.revision)
        return Outcome(published, published.document, intent.reason, refused)
    found = standing(engine, access)
    proposal = found.proposal()
    if proposal is None or not proposal.changes:
        return Outcome(None, running(engine), proposal.reason if proposal else "there is no version yet", refused)
    words = " ".join(comparison.words() for comparison in found.comparisons) or "One version alone; the bootstrap rule applies."
    figures = {
        f"{c.b} against {c.a}": {
            "macro_f1": c.macro_f1.difference.value,
            "p": c.mcnemar.p_value,
            "n": c.n,
            "verdict": c.verdict,
            "in_sample": c.in_sample,
        }
        for c in found.comparisons
    }
    evidence = Evidence(("ab_evaluation",), (run_id,), figures, words[:4000])
    intent = Intent(proposal.champions, proposal.default_family, proposal.rule, GATE_ACTOR, proposal.reason, evidence)
    published = publish(engine, access, intent, holder=run_id, now=now)
    return Outcome(published, published.document, proposal.reason, refused)


def _content(document: Deployment) -> tuple[dict[str, str], str]:
    return document.versions(), document.default_family


def running(engine: Engine) -> Deployment | None:
    """The newest deployment that the database knows."""
    with engine.connect() as connection:
        return latest_deployment(connection)
