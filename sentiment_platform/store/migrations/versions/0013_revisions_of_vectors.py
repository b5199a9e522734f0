"""Vectors that are corrected stay as they stood"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# In the database, so that no writer can forget it, and so that what is kept is what was there.
KEEP = """
    CREATE FUNCTION platform.keep_feature_revision() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO platform.feature_revisions (entity, schema_version, as_of, revision, values, computed_at)
        VALUES (OLD.entity, OLD.schema_version, OLD.as_of, OLD.revision, OLD.values, OLD.computed_at)
        ON CONFLICT DO NOTHING;
        RETURN NEW;
    END $$"""
TRIGGER = """
    CREATE TRIGGER keep_feature_revision BEFORE UPDATE ON platform.processed_features FOR EACH ROW
    WHEN (OLD.values IS DISTINCT FROM NEW.values) EXECUTE FUNCTION platform.keep_feature_revision()"""


def upgrade() -> None:
    instant = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "feature_revisions",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("schema_version", sa.Text(), nullable=False),
        sa.Column("as_of", instant, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("values", ARRAY(sa.Double()), nullable=False),
        sa.Column("computed_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("entity", "schema_version", "as_of", "revision", name="pk_feature_revisions"),
        schema="platform",
    )
    op.execute(KEEP)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_feature_revision ON platform.processed_features")
    op.execute("DROP FUNCTION platform.keep_feature_revision()")
    op.drop_table("feature_revisions", schema="platform")
