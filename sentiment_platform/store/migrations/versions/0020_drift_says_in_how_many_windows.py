"""Drift says in how many windows a subject moved"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("drift_metrics", sa.Column("windows_moved", sa.Integer(), nullable=True), schema="platform")


def downgrade() -> None:
    op.drop_column("drift_metrics", "windows_moved", schema="platform")
