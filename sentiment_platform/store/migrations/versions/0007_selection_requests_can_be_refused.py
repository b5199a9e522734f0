"""Selection requests can be refused"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("selection_requests", sa.Column("refusal", sa.Text(), nullable=True), schema="platform")


def downgrade() -> None:
    op.drop_column("selection_requests", "refusal", schema="platform")
