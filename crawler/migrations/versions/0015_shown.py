"""Which entries a feed shows, and since when others are not in it; not known of a feed before its next document."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entries", sa.Column("shown", sa.Boolean))
    op.add_column("entries", sa.Column("departed", sa.BigInteger))
    where = sa.text("shown")
    op.create_index("entries_shown", "entries", ["feed_id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("entries_shown", "entries")
    for name in ("departed", "shown"):
        op.drop_column("entries", name)
