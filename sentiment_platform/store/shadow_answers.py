"""SQL of running experiments: requests that a shadow may answer, its answers beside those that were served, and what each arm did."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from sentiment_platform.store.predictions import COUNTED
from sentiment_platform.store.tables import LabelRow, LabelSetRow, Prediction, ShadowAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShadowAnswer:
    """A row of `shadow_answers` as a replay makes it."""

    id: str
    prediction_id: str
    experiment: str
    phase: int
    model_version: str
    manifest_digest: str
    answered_at: datetime
    probabilities: list[float]
    latency_ms: float
    made_by: str = "replay"
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request as the model that answered it saw it."""

    id: str
    text: str
    feature_schema: str
    features: list[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedAnswer:
    """Two answers to one request: that of the champion, which was served, and that of the version in shadow, None where it failed."""

    prediction_id: str
    text_hash: str
    answered_at: datetime
    served: list[float]
    in_shadow: list[float] | None
    served_ms: float | None
    shadow_ms: float
    cache_hit: bool
    made_by: str


_BY_ITSELF = Prediction.instead_of.is_(None)
"""Another version's answer in an arm's place is that arm's failure, and says nothing of its times and classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCounts:
    """What an arm answered in a phase; `latency_p95_ms` is of the model alone, over answers that were not cached, None without any."""

    arm: str
    version: str
    units: int
    answers: int
    degraded: int
    latency_p95_ms: float | None


def answered_of_day(connection: Connection, experiment: str, phase: int) -> dict[str, int]:
    """UTC day (ISO) of the request -> how many of that day the shadow has answered in the phase."""
    day = func.to_char(func.timezone("UTC", Prediction.predicted_at), "YYYY-MM-DD")
    query = select(day, func.count()).join(ShadowAnswer, ShadowAnswer.prediction_id == Prediction.id)
    query = query.where(_of_phase(experiment, phase)).group_by(day)
    return dict(connection.execute(query).all())


def unanswered_requests(
    connection: Connection,
    experiment: str,
    phase: int,
    *,
    served_by: str,
    after: tuple[datetime, str],
    revisions: Collection[int],
    limit: int,
    labelled: bool = False,
) -> list[tuple[str, datetime]]:
    """(id, time) of requests that count and that `served_by` answered while these deployments ran, oldest first: the first `limit`
    behind (time, id). `labelled`: those alone whose text a person has labelled."""
    answered = select(ShadowAnswer.prediction_id).where(_of_phase(experiment, phase))
    query = (
        select(Prediction.id, Prediction.predicted_at)
        .where(tuple_(Prediction.predicted_at, Prediction.id) > after, Prediction.model_version == served_by, COUNTED)
        .where(Prediction.deployment_revision.in_(revisions), Prediction.degraded.is_(False), Prediction.id.not_in(answered))
        .order_by(Prediction.predicted_at, Prediction.id)
        .limit(limit)
    )
    if labelled:
        query = query.where(_labelled())
    return [(row[0], row[1]) for row in connection.execute(query)]


def logged_requests(connection: Connection, ids: Collection[str]) -> list[LoggedRequest]:
    """The requests with these ids, by id."""
    query = select(Prediction.id, Prediction.text, Prediction.feature_schema, Prediction.features)
    return [LoggedRequest(*row) for row in connection.execute(query.where(Prediction.id.in_(ids)).order_by(Prediction.id))]


def newest_pairs(connection: Connection, experiment: str, phase: int, limit: int) -> list[PairedAnswer]:
    """The newest `limit` pairs of a phase, newest first."""
    return _pairs(connection, _of_phase(experiment, phase), limit=limit)


def labelled_pairs(connection: Connection, experiment: str, phase: int) -> list[PairedAnswer]:
    """For each text of a phase that a person has labelled its first pair, failures left out."""
    whole = and_(_of_phase(experiment, phase), _labelled(), ShadowAnswer.probabilities.is_not(None))
    return _pairs(connection, whole, first_of_text=True)


def shadow_counts(connection: Connection, experiment: str, phase: int) -> tuple[int, int]:
    """How many requests the shadow was given in a phase, and how many of them it failed."""
    query = select(func.count(), func.count(ShadowAnswer.failure)).where(_of_phase(experiment, phase))
    asked, failed = connection.execute(query).one()
    return asked, failed


def counts_of_arms(connection: Connection, experiment: str, revisions: Sequence[int], since: datetime) -> list[ArmCounts]:
    """What each arm answered since then while these deployments ran, requests that count alone."""
    inference = Prediction.latency_ms["inference"].as_float()
    p95 = func.percentile_cont(0.95).within_group(inference).filter(Prediction.cache_hit.is_(False), _BY_ITSELF)
    query = (
        select(
            Prediction.arm,
            func.min(Prediction.model_version).label("version"),
            func.count(Prediction.unit.distinct()).label("units"),
            func.count().label("answers"),
            func.count().filter(Prediction.degraded).label("degraded"),
            p95.label("latency_p95_ms"),
        )
        .where(_of_arms(experiment, revisions, since))
        .group_by(Prediction.arm)
        .order_by(Prediction.arm)
    )
    return [ArmCounts(**row) for row in connection.execute(query).mappings()]


def units_in_two_arms(connection: Connection, experiment: str, revisions: Sequence[int], since: datetime) -> int:
    """Units that were answered by more than one arm while these deployments ran; assignment is sticky, so there must be none."""
    seen = select(Prediction.unit).where(_of_arms(experiment, revisions, since)).group_by(Prediction.unit)
    both = seen.having(func.count(Prediction.arm.distinct()) > 1).subquery()
    return connection.execute(select(func.count()).select_from(both)).scalar_one()


def answers_of_arms(
    connection: Connection, experiment: str, revisions: Sequence[int], since: datetime, limit: int
) -> list[tuple[str, list[float]]]:
    """(arm, probabilities) of about `limit` answers that arms gave themselves, from all over the phase, the same ones each time."""
    there = connection.execute(
        select(func.count()).select_from(Prediction).where(_of_arms(experiment, revisions, since))
    ).scalar_one()
    query = select(Prediction.arm, Prediction.probabilities).where(_of_arms(experiment, revisions, since), _BY_ITSELF)
    if (one_in := -(-there // limit)) > 1:
        query = query.where(func.abs(cast(func.hashtext(Prediction.id), BigInteger)) % one_in == 0)
    return [(str(row[0]), row[1]) for row in connection.execute(query.order_by(Prediction.id))]


def _labelled() -> ColumnElement[bool]:
    by_people = select(LabelRow.text_hash).join(LabelSetRow, LabelSetRow.name == LabelRow.label_set)
    return Prediction.text_hash.in_(by_people.where(LabelSetRow.kind == "human"))


def _of_phase(experiment: str, phase: int) -> ColumnElement[bool]:
    return and_(ShadowAnswer.experiment == experiment, ShadowAnswer.phase == phase)


def _of_arms(experiment: str, revisions: Sequence[int], since: datetime) -> ColumnElement[bool]:
    table = Prediction
    return and_(
        table.predicted_at >= since, table.deployment_revision.in_(revisions), table.experiment == experiment, table.arm.is_not(None), table.unit.is_not(None),
        COUNTED,
    )  # fmt: skip


def _pairs(
    connection: Connection, whole: ColumnElement[bool], *, first_of_text: bool = False, limit: int | None = None
) -> list[PairedAnswer]:
    columns: tuple[Any, ...] = (
        Prediction.id.label("prediction_id"),
        Prediction.text_hash,
        Prediction.predicted_at.label("answered_at"),
        Prediction.probabilities.label("served"),
        ShadowAnswer.probabilities.label("in_shadow"),
        Prediction.latency_ms["inference"].as_float().label("served_ms"),
        ShadowAnswer.latency_ms.label("shadow_ms"),
        Prediction.cache_hit,
        ShadowAnswer.made_by,
    )
    query = select(*columns).join(ShadowAnswer, ShadowAnswer.prediction_id == Prediction.id).where(whole)
    if first_of_text:
        query = query.ext(distinct_on(Prediction.text_hash)).order_by(
            Prediction.text_hash, Prediction.predicted_at, Prediction.id
        )
    else:
        query = query.order_by(Prediction.predicted_at.desc(), Prediction.id).limit(limit)
    return [PairedAnswer(**row) for row in connection.execute(query).mappings()]
