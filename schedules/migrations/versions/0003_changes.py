"""Changes of posts, watches of them, and what is still to be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("edits", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.UniqueConstraint("page", "kind", "at"),
    )
    op.create_index("changes_at", "changes", ["at", "id"])
    op.create_index("changes_host", "changes", ["host", "at", "id"])
    op.create_table(
        "watches",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("webhook", sa.Text, nullable=False),
        sa.Column("mail", sa.Text, nullable=False),
        sa.Column("added", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("watch", sa.String(64), nullable=False),
        sa.Column("change_id", sa.BigInteger, nullable=False),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("dead", sa.Boolean, nullable=False),
        sa.UniqueConstraint("watch", "change_id", "way"),
    )
    op.create_index("deliveries_due", "deliveries", ["dead", "way", "due"])


def downgrade() -> None:
    for name in ("deliveries", "watches", "changes"):
        op.drop_table(name)
