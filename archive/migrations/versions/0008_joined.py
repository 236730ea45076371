"""Objects that were joined into larger ones, and the order of batches beside their numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("objects", sa.Column("begun", sa.String(20), nullable=False, server_default=""))
    connection = op.get_bind()
    rows = sa.table("objects", sa.column("id", sa.Integer), sa.column("key", sa.String), sa.column("begun", sa.String))
    change = sa.update(rows).where(rows.c.id == sa.bindparam("of")).values(begun=sa.bindparam("to"))
    found = [{"of": row.id, "to": _begun(row.key)} for row in connection.execute(sa.select(rows.c.id, rows.c.key))]
    if found:
        connection.execute(change, found)
    op.create_table(
        "retired",
        sa.Column("key", sa.String(512), primary_key=True),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("joined_into", sa.String(512), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
    op.create_index("retired_joined_into", "retired", ["joined_into"])
    op.create_table(
        "joining",
        sa.Column("key", sa.String(512), primary_key=True),
        sa.Column("given_up", sa.Boolean, nullable=False, server_default=sa.false()),
    )


def _begun(key: str) -> str:
    """The second word of a batch's name."""
    words = key.rsplit("/", 1)[-1].split("-")
    return words[1][:20] if len(words) > 1 else ""


def downgrade() -> None:
    op.drop_table("joining")
    op.drop_index("retired_joined_into", "retired")
    op.drop_table("retired")
    op.drop_column("objects", "begun")
