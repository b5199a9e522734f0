"""Predictions say whether their text could be read"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("predictions", sa.Column("supported", sa.Boolean(), nullable=True), schema="platform")


def downgrade() -> None:
    op.drop_column("predictions", "supported", schema="platform")
