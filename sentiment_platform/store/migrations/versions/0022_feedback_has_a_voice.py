"""Feedback has a voice; labels that came of feedback without one say so"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feedback", sa.Column("voice", sa.Text(), nullable=True), schema="platform")
    op.execute("UPDATE platform.labels SET annotator = 'anonymous' WHERE label_set = 'feedback' AND annotator = 'user'")


def downgrade() -> None:
    op.execute("UPDATE platform.labels SET annotator = 'user' WHERE label_set = 'feedback' AND annotator = 'anonymous'")
    op.drop_column("feedback", "voice", schema="platform")
