"""What the asset `deployment` does: settle what people asked for, then what the gate proposes; publish only what changes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Engine

from sentiment_platform.experiments.offline import standing
from sentiment_platform.promotion.publishing import Intent, Promoted, intent_of_request, publish, settle_requests
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Deployment, Evidence
from sentiment_platform.store.models import latest_deployment

GATE_ACTOR = "gate"


@dataclass(frozen=True)
class Outcome:
    """What runs after the decision, and why; `published` is None where nothing changed."""

    published: Promoted | None
    running: Deployment | None
    reason: str


def decide_and_publish(engine: Engine, access: RegistryAccess, *, run_id: str, now: Callable[[], datetime]) -> Outcome:
    """One new revision at most: a person's request goes before the gate, which is asked again in the next run."""
    requested = intent_of_request(engine)
    if requested is not None:
        intent, ids = requested
        published = publish(engine, access, intent, holder=run_id, now=now)
        settle_requests(engine, ids, published.revision)
        return Outcome(published, published.document, intent.reason)
    found = standing(engine, access)
    proposal = found.proposal()
    if proposal is None or not proposal.changes:
        return Outcome(None, running(engine), proposal.reason if proposal else "there is no version yet")
    words = " ".join(comparison.words() for comparison in found.comparisons) or "One version alone; the bootstrap rule applies."
    figures = {
        f"{c.b} against {c.a}": {"macro_f1": c.macro_f1.difference.value, "p": c.mcnemar.p_value, "n": c.n, "verdict": c.verdict}
        for c in found.comparisons
    }
    evidence = Evidence(("ab_evaluation",), (run_id,), figures, words[:4000])
    intent = Intent(proposal.champions, proposal.default_family, proposal.rule, GATE_ACTOR, proposal.reason, evidence)
    published = publish(engine, access, intent, holder=run_id, now=now)
    return Outcome(published, published.document, proposal.reason)


def running(engine: Engine) -> Deployment | None:
    """The newest deployment that the database knows."""
    with engine.connect() as connection:
        document = latest_deployment(connection)
    return msgspec.convert(document, Deployment) if document else None
