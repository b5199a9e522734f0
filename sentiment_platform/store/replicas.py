"""SQL of serving processes: what each of them answered with last, by the predictions that it shipped."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaAnswer:
    """The newest answer of one family by one process; `replica` is a digest of its host and process id."""

    replica: str
    family: str
    version: str
    revision: int
    answered_at: datetime


_NEWEST = text("""
    SELECT DISTINCT ON (instance, family) left(md5(instance), 8), family, model_version, deployment_revision, predicted_at
    FROM platform.predictions WHERE predicted_at > :since ORDER BY instance, family, predicted_at DESC""")


def newest_answers(connection: Connection, since: datetime) -> list[ReplicaAnswer]:
    """One for each process and family that answered since then; a process that was not asked is absent."""
    rows = connection.execute(_NEWEST, {"since": since})
    answers = [ReplicaAnswer(**dict(zip(ReplicaAnswer.__dataclass_fields__, row, strict=True))) for row in rows]
    return sorted(answers, key=lambda answer: (answer.replica, answer.family))
