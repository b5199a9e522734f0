"""In whose place a version answered, so that what a version did not answer counts as its own"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("predictions", sa.Column("instead_of", sa.Text(), nullable=True), schema="platform")
    op.create_index(
        "ix_predictions_instead_of_predicted_at",
        "predictions",
        ["instead_of", "predicted_at"],
        schema="platform",
        postgresql_where=sa.text("instead_of IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_predictions_instead_of_predicted_at", table_name="predictions", schema="platform")
    op.drop_column("predictions", "instead_of", schema="platform")
