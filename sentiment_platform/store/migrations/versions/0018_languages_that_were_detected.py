"""Articles say whether their language was detected in the text"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "raw_data",
        sa.Column("language_detected", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="platform",
    )


def downgrade() -> None:
    op.execute("UPDATE platform.raw_data SET language = NULL WHERE language_detected")
    op.drop_column("raw_data", "language_detected", schema="platform")
