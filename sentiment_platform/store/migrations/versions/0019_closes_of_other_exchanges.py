"""Bars of other exchanges than New York's are known when their date is over everywhere, until they are brought again; outcomes are
looked up by their rule"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # They had New York's close, which is too early for crypto and for some exchanges. Brought again, a bar has the close of its own.
    op.execute(
        "UPDATE platform.market_prices SET available_at = (session + 1 + time '12:00') AT TIME ZONE 'UTC' "
        "WHERE symbol !~ '^[A-Z]{1,5}(-(WSA|[A-Z]{1,2}))?$' AND available_at < (session + 1 + time '12:00') AT TIME ZONE 'UTC'"
    )

    op.create_index("ix_outcomes_rule", "outcomes", ["rule"], schema="platform")


def downgrade() -> None:
    op.drop_index("ix_outcomes_rule", "outcomes", schema="platform")
