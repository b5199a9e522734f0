"""SQL of what people could label: served texts of which nobody has said yet what they say."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from sentiment_platform.store.predictions import COUNTED
from sentiment_platform.store.tables import LabelRow, LabelSetRow, Prediction


@dataclass(frozen=True, slots=True)
class LabellingTask:
    """A text to label, named by its hash."""

    id: str
    text: str


def unlabelled_texts(connection: Connection, since: datetime, until: datetime, limit: int) -> list[LabellingTask]:
    """A random sample of the texts served in (since, until] that no person has labelled, the same one each time it is asked for.

    Every request has the same chance, so a text that is asked often is likelier to be among them than one that is asked once.
    """
    said = exists().where(
        LabelRow.text_hash == Prediction.text_hash, LabelSetRow.name == LabelRow.label_set, LabelSetRow.kind == "human"
    )
    query = (
        select(Prediction.text_hash, func.min(Prediction.text))
        .where(Prediction.predicted_at > since, Prediction.predicted_at <= until, COUNTED, ~said)
        .group_by(Prediction.text_hash)
        .order_by(func.min(func.md5(Prediction.id)), Prediction.text_hash)
        .limit(limit)
    )
    return [LabellingTask(*row) for row in connection.execute(query)]
