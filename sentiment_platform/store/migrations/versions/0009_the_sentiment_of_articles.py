"""The sentiment of articles"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "article_sentiment",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("manifest_digest", sa.Text(), nullable=False),
        *[sa.Column(name, sa.Double(), nullable=False) for name in ("negative", "neutral", "positive")],
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.Text(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("characters_read", sa.Integer(), nullable=False),
        sa.Column("available_at", INSTANT, nullable=False),
        sa.Column("scored_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["platform.raw_data.id"], name=op.f("fk_article_sentiment_article_id")),
        sa.PrimaryKeyConstraint("article_id", "version", name=op.f("pk_article_sentiment")),
        schema="platform",
    )
    op.create_index(
        "ix_article_sentiment_version_scored_at", "article_sentiment", ["version", "scored_at"], unique=False, schema="platform"
    )


def downgrade() -> None:
    op.drop_table("article_sentiment", schema="platform")
