"""Features count their corrections; predictions keep what their features were computed from; indexes of the hot queries"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "processed_features", sa.Column("revision", sa.Integer(), server_default="1", nullable=False), schema="platform"
    )
    op.add_column("predictions", sa.Column("published_at", sa.TIMESTAMP(timezone=True), nullable=True), schema="platform")


def downgrade() -> None:
    op.drop_column("predictions", "published_at", schema="platform")
    op.drop_column("processed_features", "revision", schema="platform")
