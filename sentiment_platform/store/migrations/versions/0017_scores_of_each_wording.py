"""Every wording of an article has its own score"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "article_sentiment",
        sa.Column("wording", sa.Text(), server_default=sa.text("''::text"), nullable=False),
        schema="platform",
    )
    op.drop_constraint(op.f("pk_article_sentiment"), "article_sentiment", schema="platform")
    op.create_primary_key(
        op.f("pk_article_sentiment"), "article_sentiment", ["article_id", "version", "wording"], schema="platform"
    )
    op.create_index(op.f("ix_article_revisions_available_at"), "article_revisions", ["available_at"], schema="platform")


def downgrade() -> None:
    op.drop_index(op.f("ix_article_revisions_available_at"), "article_revisions", schema="platform")
    op.execute("DELETE FROM platform.article_sentiment WHERE wording <> ''")
    op.drop_constraint(op.f("pk_article_sentiment"), "article_sentiment", schema="platform")
    op.create_primary_key(op.f("pk_article_sentiment"), "article_sentiment", ["article_id", "version"], schema="platform")
    op.drop_column("article_sentiment", "wording", schema="platform")
