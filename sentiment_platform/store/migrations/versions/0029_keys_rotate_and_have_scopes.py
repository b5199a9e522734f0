"""Keys are limited to scopes, rotate with an overlap, and say when they were used last"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ADDED = (
    ("scopes", sa.ARRAY(sa.Text())),
    ("previous_hash", sa.Text()),
    ("previous_until", sa.DateTime(timezone=True)),
    ("last_used_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    for name, kind in ADDED:
        op.add_column("api_keys", sa.Column(name, kind, nullable=True), schema="platform")


def downgrade() -> None:
    for name, _ in ADDED:
        op.drop_column("api_keys", name, schema="platform")
