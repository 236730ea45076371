"""Claims of hosts, health of feeds, re-checks and deletions, alarms, backfill."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_FEEDS = (
    ("whole", sa.BigInteger()),
    ("shown", sa.Integer()),
    ("media", sa.Text()),
    ("news", sa.BigInteger()),
    ("hub", sa.Text()),
    ("topic", sa.Text()),
    ("pushed", sa.BigInteger()),
)
_PAGES = (("alive", sa.BigInteger()), ("alive_record", sa.Text()))


def upgrade() -> None:
    for name, kind in _FEEDS:
        op.add_column("feeds", sa.Column(name, kind))
    for name, kind in _PAGES:
        op.add_column("pages", sa.Column(name, kind))
    op.add_column("pages", sa.Column("host", sa.String(255), nullable=False, server_default=""))
    op.add_column("pages", sa.Column("backfill", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("pages", sa.Column("checks", sa.Integer, nullable=False, server_default="0"))
    op.create_index("pages_visited", "pages", ["visited"])
    op.create_table(
        "claims",
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "deletions",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("proof", sa.String(64)),
        sa.Column("alive", sa.BigInteger),
        sa.Column("alive_record", sa.Text),
        sa.Column("restored", sa.BigInteger),
        sa.Column("restored_record", sa.String(64)),
    )
    op.create_table(
        "alarms",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("told", sa.BigInteger),
    )
    op.create_table(
        "backfills",
        sa.Column("feed_id", sa.Integer, sa.ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("asked", sa.BigInteger, nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("total", sa.Integer),
        sa.Column("shown", sa.Integer),
    )
    op.create_table(
        "listings",
        sa.Column("feed_id", sa.Integer, sa.ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("visited", sa.BigInteger),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("found", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "hubs",
        sa.Column("feed_id", sa.Integer, sa.ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("hub", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("token", sa.String(64), nullable=False, unique=True),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("renew", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
    )


def downgrade() -> None:
    for name in ("hubs", "listings", "backfills", "alarms", "deletions", "claims"):
        op.drop_table(name)
    op.drop_index("pages_visited", "pages")
    for name in ("checks", "backfill", "host", *(name for name, _ in _PAGES)):
        op.drop_column("pages", name)
    for name, _ in _FEEDS:
        op.drop_column("feeds", name)
