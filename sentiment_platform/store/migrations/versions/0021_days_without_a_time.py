"""Articles keep whether their source named a day alone"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("raw_data", sa.Column("day_only", sa.Boolean(), nullable=True), schema="platform")


def downgrade() -> None:
    op.drop_column("raw_data", "day_only", schema="platform")
