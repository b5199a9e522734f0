"""Splits are asked about, and answered by people"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "price_questions",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("ratio", sa.Text(), nullable=False),
        sa.Column("before", sa.Double(), nullable=False),
        sa.Column("after", sa.Double(), nullable=False),
        sa.Column("closes_at", instant, nullable=False),
        sa.Column("settled_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("symbol", "source", "day", "asked_at", name="pk_price_questions"),
        schema="platform",
    )
    op.create_index("ix_price_questions_asked_at", "price_questions", ["asked_at"], schema="platform")
    op.create_table(
        "price_answers",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ratio", sa.Text(), nullable=True),
        sa.Column("sources", ARRAY(sa.Text()), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("answered_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("symbol", "day", name="pk_price_answers"),
        schema="platform",
    )


def downgrade() -> None:
    op.drop_table("price_answers", schema="platform")
    op.drop_table("price_questions", schema="platform")
