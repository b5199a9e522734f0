"""GET /experiments: stored comparisons of versions, and the newest evidence of the gate."""

from typing import TYPE_CHECKING, Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from sentiment_platform.errors import PermanentError
from sentiment_platform.registry.versions import VERSION_PATTERN
from serving.contract.experiment_bodies import (
    ComparisonFigures,
    ExperimentList,
    GateEvidence,
    GatePair,
    GateProposal,
    OnlineArm,
    OnlineStanding,
    PairComparison,
)
from serving.edge.openapi import problem_responses
from serving.handlers.paging import Limit, Offset
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.experiments.evidence import RecordedEvidence
    from sentiment_platform.store.experiments import StoredComparison


Version = Annotated[
    str | None,
    QueryParameter(pattern=VERSION_PATTERN, description="Only pairs with this version, on either side; give both for one pair."),
]


@get(
    "/experiments",
    tags=["models"],
    responses=problem_responses(400, 503),
    summary="What was compared, and what the gate proposes",
)
async def experiments(
    services: NamedDependency[Services],
    version: Version = None,
    other: Version = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> ExperimentList:
    """Pairs with their difference and its interval, p, verdict and run; the proposal that follows from the newest evidence; how the experiment
    on traffic stands."""
    of = [name for name in (version, other) if name is not None]

    def read(connection: "Connection") -> ExperimentList:
        from sentiment_platform.store.experiments import comparisons_page

        evidence, objection = _evidence(connection)
        comparisons = [_comparison(stored) for stored in comparisons_page(connection, limit, offset, of=of)]
        return ExperimentList(
            as_of=services.clock(),
            evidence=evidence,
            objection=objection,
            online=_online(connection),
            comparisons=comparisons,
        )

    return await services.database.call(read)


def _evidence(connection: "Connection") -> tuple[GateEvidence | None, str | None]:
    """The newest evidence, and what speaks against it."""
    from sentiment_platform.experiments.evidence import NO_EVIDENCE, newest_evidence

    try:
        recorded = newest_evidence(connection)
    except PermanentError as error:
        return None, str(error)
    return (_shown(recorded), recorded.evidence.objection()) if recorded else (None, NO_EVIDENCE)


def _online(connection: "Connection") -> OnlineStanding | None:
    from sentiment_platform.experiments.standing import standing_now

    now = standing_now(connection)
    if now is None:
        return None
    return OnlineStanding(
        experiment=now.experiment,
        phase=now.phase,
        mode="shadow" if now.mode == "shadow" else "split",
        verdict=now.verdict or None,
        words=now.words,
        next_step=now.next_step,
        arms=[msgspec.convert(arm, OnlineArm) for arm in now.result.get("arms", ())],
    )


def _shown(recorded: "RecordedEvidence") -> GateEvidence:
    evidence = recorded.evidence
    pairs = [
        GatePair(
            a=pair.a,
            b=pair.b,
            verdict=pair.verdict,
            difference=pair.macro_f1.difference,
            adjusted_p=pair.adjusted_p,
            in_sample=pair.in_sample,
        )
        for pair in evidence.comparisons
    ]
    return GateEvidence(
        digest=recorded.digest,
        run_id=recorded.run_id,
        made_at=recorded.made_at,
        training_set=evidence.training_set,
        n=evidence.n,
        in_sample=evidence.in_sample,
        attempt=evidence.attempt,
        level=evidence.level,
        attempt_words=evidence.attempt_words(),
        pairs=pairs,
        proposal=GateProposal(**msgspec.structs.asdict(evidence.proposal)),
    )


def _comparison(stored: "StoredComparison") -> PairComparison:
    try:
        figures = msgspec.convert(stored.result, ComparisonFigures)
    except msgspec.ValidationError:
        figures = None
    return PairComparison(
        id=stored.id,
        kind=stored.kind,
        champion=stored.champion,
        challenger=stored.challenger,
        verdict=stored.verdict,
        run_id=stored.run_id,
        compared_at=stored.created_at,
        figures=figures,
    )


def routes() -> list[HTTPRouteHandler]:
    """The route."""
    return [experiments]
