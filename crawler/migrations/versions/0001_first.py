"""Feeds, seeds, entries, pages."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("site", sa.Text),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("added", sa.BigInteger, nullable=False),
        sa.Column("visited", sa.BigInteger),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("etag", sa.Text),
        sa.Column("last_modified", sa.Text),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False),
    )
    op.create_index("feeds_due", "feeds", ["due"])
    op.create_table(
        "seeds",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("feed_id", sa.Integer, sa.ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
    )
    op.create_table(
        "pages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("feed_id", sa.Integer, sa.ForeignKey("feeds.id", ondelete="SET NULL")),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("kept", sa.Boolean, nullable=False),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("visited", sa.BigInteger),
        sa.Column("due", sa.BigInteger),
        sa.Column("etag", sa.Text),
        sa.Column("last_modified", sa.Text),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False),
    )
    op.create_index("pages_due", "pages", ["due"])
    op.create_index("pages_feed", "pages", ["feed_id"])
    op.create_table(
        "entries",
        sa.Column("feed_id", sa.Integer, sa.ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("id", sa.Text),
        sa.Column("page_id", sa.Integer, sa.ForeignKey("pages.id")),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
    )
    op.create_index("entries_page", "entries", ["page_id"])


def downgrade() -> None:
    for name in ("entries", "pages", "seeds", "feeds"):
        op.drop_table(name)
