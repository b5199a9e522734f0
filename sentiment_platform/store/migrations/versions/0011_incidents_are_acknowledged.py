"""Incidents are acknowledged, and critical ones are told again until they are"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INSTANTS = ("remind_at", "acknowledged_at")
TEXTS = ("acknowledged_by", "acknowledged_note", "acknowledged_severity")


def upgrade() -> None:
    for name in INSTANTS:
        op.add_column("alerts", sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=True), schema="platform")
    for name in TEXTS:
        op.add_column("alerts", sa.Column(name, sa.Text(), nullable=True), schema="platform")
    # What is open and critical was told before; it is told again a day from now.
    op.execute(
        "UPDATE platform.alerts SET remind_at = now() + interval '1 day' WHERE resolved_at IS NULL AND severity = 'critical'"
    )


def downgrade() -> None:
    for name in (*TEXTS, *INSTANTS):
        op.drop_column("alerts", name, schema="platform")
