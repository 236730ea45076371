"""Objects, captures, texts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "objects",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(512), nullable=False, unique=True),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "captures",
        sa.Column("record", sa.String(64), primary_key=True),
        sa.Column("urlkey", sa.Text, nullable=False),
        sa.Column("date", sa.BigInteger, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("mime", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("refers_to", sa.String(64)),
        sa.Column("truncated", sa.String(16)),
        sa.Column("object_id", sa.Integer, sa.ForeignKey("objects.id"), nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
    )
    op.create_index("captures_urlkey_date", "captures", ["urlkey", "date"])
    op.create_index("captures_digest", "captures", ["digest"])
    op.create_index("captures_object", "captures", ["object_id"])
    op.create_table(
        "texts",
        sa.Column("record", sa.String(64), primary_key=True),
        sa.Column("capture", sa.String(64), nullable=False),
        sa.Column("urlkey", sa.Text, nullable=False),
        sa.Column("date", sa.BigInteger, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("object_id", sa.Integer, sa.ForeignKey("objects.id"), nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
    )
    op.create_index("texts_urlkey_date", "texts", ["urlkey", "date"])
    op.create_index("texts_capture", "texts", ["capture"])
    op.create_index("texts_object", "texts", ["object_id"])


def downgrade() -> None:
    for name in ("texts", "captures", "objects"):
        op.drop_table(name)
