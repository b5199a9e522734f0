"""Incidents and alerts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("detail", JSONB(), nullable=False),
        sa.Column("opened_at", instant, nullable=False),
        sa.Column("last_seen_at", instant, nullable=False),
        sa.Column("resolved_at", instant, nullable=True),
        sa.Column("open_sent_at", instant, nullable=True),
        sa.Column("resolve_sent_at", instant, nullable=True),
        sa.Column("retry_at", instant, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        schema="platform",
    )
    op.create_index("ix_alerts_opened_at", "alerts", ["opened_at"], schema="platform")
    op.create_index(
        "uq_alerts_one_open_per_fingerprint",
        "alerts",
        ["fingerprint"],
        unique=True,
        schema="platform",
        postgresql_where=sa.text("resolved_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("alerts", schema="platform")
