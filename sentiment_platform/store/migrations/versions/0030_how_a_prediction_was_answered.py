"""How a prediction was answered, and why by another family than planned"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("degraded_reason", "path"):
        op.add_column("predictions", sa.Column(name, sa.Text(), nullable=True), schema="platform")


def downgrade() -> None:
    for name in ("path", "degraded_reason"):
        op.drop_column("predictions", name, schema="platform")
