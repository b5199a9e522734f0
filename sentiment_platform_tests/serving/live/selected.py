"""A person's choice of a version, as serving follows it."""

from datetime import UTC, datetime

from serving.live.selections import Selection


def selection(version: str, revision: int = 1, request_id: str = "a") -> Selection:
    return Selection(
        request_id=request_id,
        family="vader",
        version=version,
        revision=revision,
        actor="dana",
        reason="reads better",
        requested_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
