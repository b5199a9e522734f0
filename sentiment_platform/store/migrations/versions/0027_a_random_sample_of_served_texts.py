"""A random sample of served texts for people to label, and notes on figures"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_sample",
        sa.Column("prediction_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("prediction_id", name="pk_audit_sample"),
        sa.ForeignKeyConstraint(
            ["prediction_id"],
            ["platform.predictions.id"],
            name="fk_audit_sample_prediction_id_predictions",
            ondelete="CASCADE",
        ),
        schema="platform",
    )
    op.create_index("ix_audit_sample_day_digest", "audit_sample", ["day", "digest"], schema="platform")
    op.add_column("model_performance", sa.Column("note", sa.Text(), nullable=False, server_default=""), schema="platform")


def downgrade() -> None:
    op.drop_column("model_performance", "note", schema="platform")
    op.drop_table("audit_sample", schema="platform")
