"""A person's request names the revision that it leaves"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("expected_revision", "restores"):
        op.add_column("selection_requests", sa.Column(name, sa.Integer(), nullable=True), schema="platform")
    op.create_index(
        "uq_selection_requests_one_rollback",
        "selection_requests",
        ["expected_revision", "family"],
        unique=True,
        schema="platform",
        postgresql_where=sa.text("restores IS NOT NULL AND refusal IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_selection_requests_one_rollback", "selection_requests", schema="platform")
    for name in ("restores", "expected_revision"):
        op.drop_column("selection_requests", name, schema="platform")
