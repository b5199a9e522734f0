"""Articles keep notes on fields that were left out; symbols of share classes are written with a dash"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "raw_data",
        sa.Column("notes", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        schema="platform",
    )
    # A class of shares was spelled as its vendor did: LMP.B, and LMP-B.
    op.execute(
        r"""UPDATE platform.raw_data
        SET tickers = ARRAY(SELECT regexp_replace(ticker, '^([A-Z0-9]{1,6})[.]([A-EGHMP-RUW-Z])$', '\1-\2') FROM unnest(tickers) AS ticker)
        WHERE EXISTS (SELECT FROM unnest(tickers) AS ticker WHERE ticker ~ '^[A-Z0-9]{1,6}[.][A-EGHMP-RUW-Z]$')"""
    )
    # Where both spellings have prices they are two series, and nobody can tell which is right.
    op.execute(
        r"""CREATE TEMPORARY TABLE renamed ON COMMIT DROP AS
        SELECT old, new FROM (
            SELECT DISTINCT symbol AS old, regexp_replace(symbol, '[.](.)$', '-\1') AS new
            FROM platform.market_prices WHERE symbol ~ '^[A-Z0-9]{1,6}[.][A-EGHMP-RUW-Z]$') AS spelled
        WHERE NOT EXISTS (SELECT FROM platform.market_prices WHERE symbol = spelled.new)"""
    )
    op.execute("UPDATE platform.market_prices SET symbol = new FROM renamed WHERE symbol = old")
    op.execute("UPDATE platform.price_revisions SET symbol = new FROM renamed WHERE symbol = old")
    # Outcomes are computed again from articles and prices.
    op.execute("DELETE FROM platform.outcomes WHERE symbol ~ '^[A-Z0-9]{1,6}[.][A-EGHMP-RUW-Z]$'")


def downgrade() -> None:
    op.drop_column("raw_data", "notes", schema="platform")
