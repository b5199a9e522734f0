"""Features count their corrections; predictions keep what their features were computed from; indexes of the hot queries"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


_INDEXES = (
    ("ix_quarantine_source_fetched_at", "quarantine", ["source", "fetched_at"]),
    ("ix_quarantine_fetched_at", "quarantine", ["fetched_at"]),
    ("ix_drift_metrics_created_at", "drift_metrics", ["created_at"]),
)


def upgrade() -> None:
    op.add_column(
        "processed_features", sa.Column("revision", sa.Integer(), server_default="1", nullable=False), schema="platform"
    )
    op.add_column("predictions", sa.Column("published_at", sa.TIMESTAMP(timezone=True), nullable=True), schema="platform")
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns, schema="platform")
    waiting = sa.text("released_at IS NULL")
    op.create_index("ix_quarantine_boundary_id", "quarantine", ["boundary", "id"], schema="platform", postgresql_where=waiting)


def downgrade() -> None:
    op.drop_index("ix_quarantine_boundary_id", "quarantine", schema="platform")
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table, schema="platform")
    op.drop_column("predictions", "published_at", schema="platform")
    op.drop_column("processed_features", "revision", schema="platform")
