"""Logged requests answered once more by the version in shadow, where serving has not asked it: with the features of the time.

Which requests, says the plan: its share by hash, its cap of a day; and those whose text people have labelled. Running it twice answers
nothing twice.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.experiments.assignment import is_shadowed, shadow_answer_id
from sentiment_platform.experiments.online_reading import Phase, running_phase
from sentiment_platform.features.compute import COMPUTE, NO_CONTEXT
from sentiment_platform.models.family import Floats
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Shadow
from sentiment_platform.registry.versions import VersionTag
from sentiment_platform.sentiment.scorers import LoadedScorer, ScoringVersion, load_scorer
from sentiment_platform.store.predictions import insert_new
from sentiment_platform.store.shadow_answers import (
    LoggedRequest,
    NewShadowAnswer,
    answered_of_day,
    logged_requests,
    unanswered_requests,
)

MOST_OF_A_RUN = 2_000
"""Requests; the next run goes on. A transformer takes two minutes for them on two cores."""
BATCH = 64
PAGE = 5_000
LOOKS_BACK = timedelta(days=30)
"""Older requests are not replayed for the share of the plan."""


@dataclass(frozen=True)
class Replayed:
    """How many requests were answered in shadow; `more`: the bound of a run was reached."""

    answered: int
    more: bool


def replay(engine: Engine, access: Callable[[], RegistryAccess], now: datetime, *, most: int = MOST_OF_A_RUN) -> Replayed | None:
    """Answer what the plan of the running shadow asks for and nobody has answered; None where no version is in shadow.

    Args:
        access: asked only where there is something to answer.

    Raises:
        Refused, TransientError, PermanentError: the version in shadow cannot be fetched, verified or loaded.
    """
    with engine.connect() as connection:
        phase = running_phase(connection)
        if phase is None or not isinstance(phase.plan, Shadow):
            return None
        plan = phase.plan
        chosen = list(islice(_chosen(connection, plan, phase, now, most), most))
    if not chosen:
        return Replayed(0, more=False)
    family = VersionTag.parse(plan.version).family
    scorer = load_scorer(access(), ScoringVersion(family, plan.version, plan.manifest_digest, (plan.version,)))
    for start in range(0, len(chosen), BATCH):
        ids = chosen[start : start + BATCH]
        # Committed batch by batch: a run that dies has done what it has done.
        with engine.begin() as connection:
            rows = _answers(plan, scorer, logged_requests(connection, ids), now)
            insert_new(connection, shadow_answers=rows)
    return Replayed(len(chosen), more=len(chosen) == most)


def _chosen(connection: Connection, plan: Shadow, phase: Phase, now: datetime, most: int) -> Iterator[str]:
    """Requests whose text has a label first, whatever the share: each of them is a pair. Then those that the plan's hash takes."""
    unanswered = partial(unanswered_requests, connection, plan.name, plan.phase, served_by=plan.beside, revisions=phase.revisions)
    # Labels may come late, so these are looked for in the whole phase.
    labelled = dict(unanswered(after=(phase.since, ""), limit=most, labelled=True))
    yield from labelled
    of_day = Counter(answered_of_day(connection, plan.name, plan.phase))
    of_day.update(_day(asked_at) for asked_at in labelled.values())
    after = (max(phase.since, now - LOOKS_BACK), "")
    while page := unanswered(after=after, limit=PAGE):
        for identity, asked_at in page:
            day = _day(asked_at)
            if identity not in labelled and is_shadowed(plan, identity, of_day[day]):
                of_day[day] += 1
                yield identity
        after = (page[-1][1], page[-1][0])


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def _answers(plan: Shadow, scorer: LoadedScorer, requests: Sequence[LoggedRequest], now: datetime) -> list[NewShadowAnswer]:
    vectors = [_features(request, scorer.schema) for request in requests]
    started = time.perf_counter()
    said = scorer.answers([request.text for request in requests], vectors)
    each_ms = 1000 * (time.perf_counter() - started) / len(requests)
    return [
        NewShadowAnswer(
            id=shadow_answer_id(plan, request.id),
            prediction_id=request.id,
            experiment=plan.name,
            phase=plan.phase,
            model_version=plan.version,
            manifest_digest=plan.manifest_digest,
            answered_at=now,
            probabilities=[float(share) for share in row],
            latency_ms=round(each_ms, 3),
        )
        for request, row in zip(requests, said, strict=True)
    ]


def _features(request: LoggedRequest, schema: str) -> Floats:
    """Those that the served answer was made with, where the version in shadow reads the same schema; else of the text alone."""
    values = request.features if request.feature_schema == schema else COMPUTE[schema](request.text, NO_CONTEXT)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
