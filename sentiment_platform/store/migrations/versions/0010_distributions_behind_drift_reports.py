"""Drift reports keep what they compared; sources keep the quota that they were asked under"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drift_distributions",
        sa.Column("report_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("edges", ARRAY(sa.Double()), nullable=False),
        *[sa.Column(name, ARRAY(sa.Integer()), nullable=False) for name in ("reference", "current")],
        *[sa.Column(name, sa.Integer(), nullable=False) for name in ("reference_missing", "current_missing")],
        sa.PrimaryKeyConstraint("report_id", "subject", name=op.f("pk_drift_distributions")),
        schema="platform",
    )
    one = sa.text("subject = 'predicted_label'::text")
    op.create_index("ix_drift_metrics_one_a_report", "drift_metrics", ["created_at"], schema="platform", postgresql_where=one)
    op.add_column("source_state", sa.Column("quota_per_day", sa.Integer(), nullable=True), schema="platform")


def downgrade() -> None:
    op.drop_column("source_state", "quota_per_day", schema="platform")
    op.drop_index("ix_drift_metrics_one_a_report", "drift_metrics", schema="platform")
    op.drop_table("drift_distributions", schema="platform")
