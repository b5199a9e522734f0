"""Label provenance and consolidation"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.TIMESTAMP(timezone=True)
NEW_COLUMNS = {"score": sa.Double(), "agreement": sa.Double(), "labelled_at": INSTANT, "import_id": sa.Text()}


def upgrade() -> None:
    op.create_table(
        "label_sets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("commercial_use", sa.Boolean(), nullable=True),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('human', 'feedback', 'machine', 'outcome')", name=op.f("ck_label_sets_kind")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_label_sets")),
        schema="platform",
    )
    op.create_table(
        "label_imports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("label_set", sa.Text(), nullable=False),
        sa.Column("importer", sa.Text(), nullable=False),
        sa.Column("importer_version", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_digest", sa.Text(), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_kept", sa.Integer(), nullable=False),
        sa.Column("refused", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("left_out", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("imported_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["label_set"], ["platform.label_sets.name"], name=op.f("fk_label_imports_label_set_label_sets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_imports")),
        schema="platform",
    )
    op.create_index("ix_label_imports_label_set", "label_imports", ["label_set"], unique=False, schema="platform")
    op.execute("""
        INSERT INTO platform.label_sets (name, kind, licence, commercial_use)
        SELECT label_set, CASE label_set WHEN 'feedback' THEN 'feedback' ELSE 'human' END, min(licence),
            CASE WHEN min(licence) ~* '(^|[^a-z])nc([^a-z]|$)|non-?commercial' THEN false END
        FROM platform.labels GROUP BY label_set""")
    for name, type_ in NEW_COLUMNS.items():
        op.add_column("labels", sa.Column(name, type_, nullable=True), schema="platform")
    for column, target, key in (("label_set", "label_sets", "name"), ("import_id", "label_imports", "id")):
        name = op.f(f"fk_labels_{column}_{target}")
        op.create_foreign_key(name, "labels", target, [column], [key], source_schema="platform", referent_schema="platform")
    op.drop_column("labels", "licence", schema="platform")


def downgrade() -> None:
    op.add_column("labels", sa.Column("licence", sa.Text(), nullable=True), schema="platform")
    op.execute("UPDATE platform.labels SET licence = s.licence FROM platform.label_sets s WHERE s.name = label_set")
    op.alter_column("labels", "licence", nullable=False, schema="platform")
    for name in ("fk_labels_label_set_label_sets", "fk_labels_import_id_label_imports"):
        op.drop_constraint(name, "labels", schema="platform", type_="foreignkey")
    for name in NEW_COLUMNS:
        op.drop_column("labels", name, schema="platform")
    op.drop_table("label_imports", schema="platform")
    op.drop_table("label_sets", schema="platform")
