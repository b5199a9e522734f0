"""Sources keep quotas and body hashes"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = ("body_hash", "quota_day", "quota_used", "cursor", "validators_broken")


def upgrade() -> None:
    op.add_column("source_state", sa.Column("body_hash", sa.Text(), nullable=True), schema="platform")
    op.add_column("source_state", sa.Column("quota_day", sa.Date(), nullable=True), schema="platform")
    quota_used = sa.Column("quota_used", sa.Integer(), server_default=sa.text("0"), nullable=False)
    op.add_column("source_state", quota_used, schema="platform")
    op.add_column("source_state", sa.Column("cursor", JSONB(), nullable=True), schema="platform")
    broken = sa.Column("validators_broken", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("source_state", broken, schema="platform")
    op.create_index("ix_raw_data_run_id", "raw_data", ["run_id"], schema="platform")


def downgrade() -> None:
    op.drop_index("ix_raw_data_run_id", "raw_data", schema="platform")
    for column in reversed(_COLUMNS):
        op.drop_column("source_state", column, schema="platform")
