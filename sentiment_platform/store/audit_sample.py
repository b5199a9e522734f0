"""SQL of the audit sample: served answers that are put aside for people to label, a bounded random sample of every UTC day.

Which answers belong to it depends on their ids alone: however often and in whatever order predictions arrive, it comes out the same.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.predictions import COUNTED
from sentiment_platform.store.tables import AuditedPrediction, LabelRow, Prediction

A_DAY = 200
"""So many answers of a UTC day at most: a week of them tells accuracy to less than three points."""
KEPT_DAYS = 31
"""As long as a window of 30 days reaches back. The copies of the texts go with the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledAnswer:
    """A served answer of the sample; `probabilities` (3,) in the order of `LABELS`."""

    prediction_id: str
    predicted_at: datetime
    model_version: str
    text: str
    text_hash: str
    probabilities: list[float]


@dataclass(frozen=True, slots=True)
class LabellingTask:
    """A text to label, named by its hash."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """Answers in the sample, the different texts of them, and those that nobody has labelled for it."""

    answers: int
    texts: int
    waiting: int


def draw_sample(connection: Connection, now: datetime, a_day: int = A_DAY) -> None:
    """Bring the sample of the last `KEPT_DAYS` days to what was shipped by now, and let older days go. Again, it changes nothing."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    oldest = today - timedelta(days=KEPT_DAYS)
    digest = func.md5(Prediction.id)
    for day in (oldest + timedelta(days=n) for n in range(KEPT_DAYS + 1)):
        of_day = and_(Prediction.predicted_at >= day, Prediction.predicted_at < day + timedelta(days=1), COUNTED)
        picked = select(Prediction.id, literal(day.date()), digest, Prediction.text, Prediction.text_hash).where(of_day)
        picked = picked.order_by(digest, Prediction.id).limit(a_day)
        columns = ["prediction_id", "day", "digest", "text", "text_hash"]
        connection.execute(insert(AuditedPrediction).from_select(columns, picked).on_conflict_do_nothing())
    table = AuditedPrediction
    in_order = func.row_number().over(partition_by=table.day, order_by=(table.digest, table.prediction_id))
    placed = select(table.prediction_id, in_order.label("place")).subquery()
    beyond = select(placed.c.prediction_id).where(placed.c.place > a_day)
    connection.execute(delete(table).where(or_(table.day < oldest.date(), table.prediction_id.in_(beyond))))


def sampled_answers(connection: Connection, since: datetime, until: datetime, a_day: int = A_DAY) -> list[SampledAnswer]:
    """A random sample of the answers given in (since, until], each as likely as any other, in the order of their digests.

    A day with more answers than are kept has those up to some digest. So all days are cut at the smallest of these: otherwise an answer
    of a quiet day would count for more than one of a busy day.
    """
    table, answered = AuditedPrediction, Prediction
    full = select(func.max(table.digest).label("digest")).where(table.day >= since.astimezone(UTC).date())
    full = full.where(table.day <= until.astimezone(UTC).date()).group_by(table.day).having(func.count() >= a_day).subquery()
    cut = connection.execute(select(func.min(full.c.digest))).scalar_one()
    columns = (
        table.prediction_id,
        answered.predicted_at,
        answered.model_version,
        table.text,
        table.text_hash,
        answered.probabilities,
    )
    query = select(*columns).join(answered, answered.id == table.prediction_id)
    query = query.where(answered.predicted_at > since, answered.predicted_at <= until)
    if cut is not None:
        query = query.where(table.digest <= cut)
    rows = connection.execute(query.order_by(table.digest, table.prediction_id)).mappings()
    return [SampledAnswer(**row) for row in rows]


def waiting_texts(connection: Connection, label_set: str, since: datetime, limit: int) -> list[LabellingTask]:
    """Texts of the sample, answered after `since`, that have no label in `label_set`: first those that every window counts."""
    table = AuditedPrediction
    query = select(table.text_hash, func.min(table.text)).where(~_labelled(label_set))
    query = query.join(Prediction, Prediction.id == table.prediction_id).where(Prediction.predicted_at > since)
    query = query.group_by(table.text_hash).order_by(func.min(table.digest), table.text_hash).limit(limit)
    return [LabellingTask(*row) for row in connection.execute(query)]


def sample_counts(connection: Connection, label_set: str, since: datetime | None = None) -> SampleCounts:
    """How much is in the sample, answered after `since`, and how much of it waits for a label in `label_set`. None: all of it."""
    texts = AuditedPrediction.text_hash.distinct()
    query = select(func.count(), func.count(texts), func.count(texts).filter(~_labelled(label_set))).select_from(
        AuditedPrediction
    )
    if since is not None:
        query = query.join(Prediction, Prediction.id == AuditedPrediction.prediction_id).where(Prediction.predicted_at > since)
    return SampleCounts(*connection.execute(query).one())


def _labelled(label_set: str) -> ColumnElement[bool]:
    return exists().where(LabelRow.text_hash == AuditedPrediction.text_hash, LabelRow.label_set == label_set)
