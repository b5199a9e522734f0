"""Prices and outcomes"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.TIMESTAMP(timezone=True)


def _prices() -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Double(), nullable=False) for name in ("open", "high", "low", "close")]


def upgrade() -> None:
    op.create_table(
        "market_prices",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        *_prices(),
        sa.Column("volume", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("available_at", INSTANT, nullable=False),
        sa.Column("fetched_at", INSTANT, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "session", name=op.f("pk_market_prices")),
        schema="platform",
    )
    op.create_index("ix_market_prices_session", "market_prices", ["session"], unique=False, schema="platform")
    op.create_table(
        "price_revisions",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        *_prices(),
        sa.Column("volume", sa.BigInteger(), nullable=True),
        sa.Column("fetched_at", INSTANT, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("superseded_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "session", "revision", name=op.f("pk_price_revisions")),
        schema="platform",
    )
    op.create_table(
        "outcomes",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("horizon_sessions", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("entry_at", INSTANT, nullable=True),
        sa.Column("available_at", INSTANT, nullable=True),
        sa.Column("symbol_return", sa.Double(), nullable=True),
        sa.Column("market_return", sa.Double(), nullable=True),
        sa.Column("adjusted_return", sa.Double(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("market", sa.Text(), nullable=True),
        sa.Column("computed_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["platform.raw_data.id"], name=op.f("fk_outcomes_article_id_raw_data")),
        sa.PrimaryKeyConstraint("article_id", "symbol", "horizon_sessions", name=op.f("pk_outcomes")),
        schema="platform",
    )
    op.create_index("ix_outcomes_available_at", "outcomes", ["available_at"], unique=False, schema="platform")
    op.create_index("ix_outcomes_reason", "outcomes", ["reason"], unique=False, schema="platform")


def downgrade() -> None:
    for name in ("outcomes", "price_revisions", "market_prices"):
        op.drop_table(name, schema="platform")
