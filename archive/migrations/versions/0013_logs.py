"""Logs of sealed objects: their leaves, checkpoints, nodes and time stamps; all of it comes from the store."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_TABLES = ("log_stamps", "log_nodes", "log_leaves", "log_commits", "logs")


def upgrade() -> None:
    op.create_table(
        "logs",
        sa.Column("log", sa.String(16), primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("edge", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "log_commits",
        sa.Column("log", sa.String(16), primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String(512), nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "log_leaves",
        sa.Column("log", sa.String(16), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("key", sa.String(512), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("ix_log_leaves_key", "log_leaves", ["key"])
    op.create_table(
        "log_nodes",
        sa.Column("log", sa.String(16), primary_key=True),
        sa.Column("level", sa.Integer, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "log_stamps",
        sa.Column("log", sa.String(16), primary_key=True),
        sa.Column("size", sa.BigInteger, primary_key=True),
        sa.Column("key", sa.String(512), nullable=False),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
