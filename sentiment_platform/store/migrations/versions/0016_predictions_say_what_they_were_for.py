"""Predictions say what they were for where no user asked"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("predictions", sa.Column("traffic", sa.Text(), nullable=True), schema="platform")


def downgrade() -> None:
    op.drop_column("predictions", "traffic", schema="platform")
