"""Texts found by their digest: the same text in other bytes, or under another URL."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("texts_digest", "texts", ["digest"])


def downgrade() -> None:
    op.drop_index("texts_digest", "texts")
