"""SQL of how fresh the tables are: the newest moment in each that grows by itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestRows:
    """The newest moment of each kind of row; None where there is none."""

    article_available_at: datetime | None
    vector_as_of: datetime | None
    label_inserted_at: datetime | None
    price_available_at: datetime | None
    prediction_at: datetime | None
    feedback_at: datetime | None
    drift_report_at: datetime | None


# Each is the end of an index.
_NEWEST = text("""
    SELECT (SELECT max(available_at) FROM platform.raw_data),
        (SELECT max(as_of) FROM platform.processed_features WHERE schema_version = :schema),
        (SELECT max(inserted_at) FROM platform.labels),
        (SELECT available_at FROM platform.market_prices ORDER BY session DESC LIMIT 1),
        (SELECT max(predicted_at) FROM platform.predictions),
        (SELECT max(received_at) FROM platform.feedback),
        (SELECT max(created_at) FROM platform.drift_metrics)""")


def newest_rows(connection: Connection, feature_schema: str) -> NewestRows:
    """The newest moments; vectors those of `feature_schema`."""
    row = connection.execute(_NEWEST, {"schema": feature_schema}).one()
    return NewestRows(**dict(zip(NewestRows.__dataclass_fields__, row, strict=True)))
