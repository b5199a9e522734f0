"""Articles keep their other wordings, and several articles may be seen under one name of a source"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "article_revisions",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("article_id", "wording", "title")],
        sa.Column("summary", sa.Text(), nullable=True),
        *[sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=False) for name in ("published_at", "available_at")],
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["platform.raw_data.id"], name=op.f("fk_article_revisions_article_id")),
        sa.PrimaryKeyConstraint("article_id", "wording", name=op.f("pk_article_revisions")),
        schema="platform",
    )
    op.drop_constraint(op.f("pk_sightings"), "sightings", schema="platform")
    op.create_primary_key(op.f("pk_sightings"), "sightings", ["source", "external_id", "article_id"], schema="platform")


def downgrade() -> None:
    # One article for each name again: the first that was seen under it.
    op.execute(
        "DELETE FROM platform.sightings AS one USING platform.sightings AS other WHERE one.source = other.source "
        "AND one.external_id = other.external_id AND (one.first_seen_at, one.article_id) > (other.first_seen_at, other.article_id)"
    )
    op.drop_constraint(op.f("pk_sightings"), "sightings", schema="platform")
    op.create_primary_key(op.f("pk_sightings"), "sightings", ["source", "external_id"], schema="platform")
    op.drop_table("article_revisions", schema="platform")
