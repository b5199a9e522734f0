"""Feedback by number, as the journal keeps it."""

from datetime import UTC, datetime

from serving.journal.journal_records import FeedbackRecord


def record(number: int) -> FeedbackRecord:
    return FeedbackRecord(
        id=f"feedback {number}",
        prediction_id="p",
        label="neutral",
        preference=None,
        utility=None,
        comment="a\nb",
        received_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
