"""Notes of what has changed since the state in the store was written."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unsaved",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("mark", sa.String(16), nullable=False),
    )
    # Whatever an earlier version has left out is written once more.
    op.execute("INSERT INTO unsaved (kind, key, mark) SELECT DISTINCT 'deletion', key, '' FROM deletions")
    if sa.inspect(op.get_bind()).has_table("alias_proofs"):  # of the archive, which is brought up to date first
        op.execute("INSERT INTO unsaved (kind, key, mark) SELECT DISTINCT 'alias', page, '' FROM alias_proofs")
    op.execute("INSERT INTO unsaved (kind, key, mark) SELECT 'subscription', key, '' FROM feeds")


def downgrade() -> None:
    op.drop_table("unsaved")
