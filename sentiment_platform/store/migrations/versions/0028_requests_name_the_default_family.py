"""A person's request says whether a family shall be the default"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("selection_requests", sa.Column("default_family", sa.Text(), nullable=True), schema="platform")
    # Until now each request made its family the default.
    op.execute("UPDATE platform.selection_requests SET default_family = family")


def downgrade() -> None:
    op.drop_column("selection_requests", "default_family", schema="platform")
