"""Answers in shadow, and units of experiments"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "shadow_answers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("prediction_id", sa.Text(), nullable=False),
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("manifest_digest", sa.Text(), nullable=False),
        sa.Column("answered_at", instant, nullable=False),
        sa.Column("probabilities", ARRAY(sa.Double()), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("latency_ms", sa.Double(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("shipped_at", instant, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("made_by IN ('serving', 'replay')", name=op.f("ck_shadow_answers_made_by")),
        sa.PrimaryKeyConstraint("id", name="pk_shadow_answers"),
        sa.UniqueConstraint("experiment", "phase", "prediction_id", name="uq_shadow_answers_experiment_phase_prediction_id"),
        schema="platform",
    )
    op.add_column("predictions", sa.Column("unit", sa.Text(), nullable=True), schema="platform")


def downgrade() -> None:
    op.drop_column("predictions", "unit", schema="platform")
    op.drop_table("shadow_answers", schema="platform")
