"""GET /monitoring/decisions and GET /monitoring/runs: what was decided, and what ran."""

from typing import TYPE_CHECKING

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from sentiment_platform.run_tags import PARTITION, RANGE_END, RANGE_START, REASON, TRIGGER
from serving.contract.run_bodies import (
    DecisionCause,
    DecisionEvidence,
    DecisionList,
    FollowingRun,
    RetrainDecision,
    Run,
    RunList,
)
from serving.edge.openapi import problem_responses
from serving.handlers.paging import Limit, Offset
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.store.dagster_runs import StoredRun
    from sentiment_platform.store.decisions import StoredDecision

TAGS = ["monitoring"]
TRAIN_JOB = "train_job"


@get("/monitoring/decisions", tags=TAGS, responses=problem_responses(400, 503), summary="Whether to train again, and why")
async def decisions(services: NamedDependency[Services], limit: Limit = 50, offset: Offset = 0) -> DecisionList:
    """Decisions, newest first: reason, causes, the figures they rest on, and the training that followed."""

    def read(connection: "Connection") -> DecisionList:
        from sentiment_platform.store.dagster_runs import runs_are_readable, runs_that_followed
        from sentiment_platform.store.decisions import newest_decisions

        stored = newest_decisions(connection, limit, offset=offset)
        readable = runs_are_readable(connection)
        asked = [(decision.id, decision.decided_at) for decision in stored if decision.retrain]
        followed = runs_that_followed(connection, asked, TRAIN_JOB) if readable and asked else {}
        return DecisionList(services.clock(), readable, [_decision(row, followed.get(row.id)) for row in stored])

    return await services.recent.get(("decisions", limit, offset), lambda: services.database.call(read))


@get("/monitoring/runs", tags=TAGS, responses=problem_responses(400, 503), summary="The newest runs")
async def runs(services: NamedDependency[Services], limit: Limit = 50, offset: Offset = 0) -> RunList:
    """Job, status, times, partition and cause of each run, and the steps that failed; read from Dagster's own tables."""

    def read(connection: "Connection") -> RunList:
        from sentiment_platform.store.dagster_runs import newest_runs, runs_are_readable

        readable = runs_are_readable(connection)
        return RunList(
            services.clock(), readable, [_run(run) for run in newest_runs(connection, limit, offset)] if readable else []
        )

    return await services.recent.get(("runs", limit, offset), lambda: services.database.call(read))


def _decision(stored: "StoredDecision", followed: "tuple[StoredRun, bool] | None") -> RetrainDecision:
    try:
        evidence = msgspec.convert(stored.evidence, DecisionEvidence)
    except msgspec.ValidationError:
        evidence = None
    return RetrainDecision(
        id=stored.id,
        decided_at=stored.decided_at,
        retrain=stored.retrain,
        reason=str(stored.reasons.get("statement", "")),
        causes=msgspec.convert(stored.reasons.get("causes", []), list[DecisionCause]),
        evidence=evidence,
        run=_following(*followed) if followed else None,
    )


def _following(run: "StoredRun", asked_for: bool) -> FollowingRun:
    return FollowingRun(
        run_id=run.run_id, status=run.status, created_at=run.created_at, ended_at=run.ended_at, asked_for=asked_for
    )


def _run(run: "StoredRun") -> Run:
    tags = run.tags
    whole_range = f"{tags[RANGE_START]}/{tags[RANGE_END]}" if RANGE_START in tags and RANGE_END in tags else None
    return Run(
        run_id=run.run_id,
        job=run.job,
        status=run.status,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        partition=tags.get(PARTITION, whole_range),
        trigger=tags.get(TRIGGER),
        reason=tags.get(REASON),
        asked_by=tags.get("dagster/schedule_name", tags.get("dagster/sensor_name")),
        failed_steps=run.failed_steps,
    )


def routes() -> list[HTTPRouteHandler]:
    """Both routes."""
    return [decisions, runs]
