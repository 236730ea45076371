"""What is missing or damaged in the store, and when each object was last read to its end."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name, kind in (("verified", sa.BigInteger), ("fault", sa.Text), ("fault_since", sa.BigInteger)):
        op.add_column("objects", sa.Column(name, kind))
    op.add_column("objects", sa.Column("told", sa.BigInteger))
    marked = sa.text("fault IS NOT NULL")
    op.create_index("objects_fault", "objects", ["id"], sqlite_where=marked, postgresql_where=marked)
    for table in ("captures", "texts"):
        op.add_column(table, sa.Column("fault", sa.Text))
        op.create_index(f"{table}_fault", table, ["object_id"], sqlite_where=marked, postgresql_where=marked)
    op.create_table(
        "state_objects",
        sa.Column("key", sa.String(512), primary_key=True),
        sa.Column("verified", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("state_objects")
    for table in ("texts", "captures"):
        op.drop_index(f"{table}_fault", table)
        op.drop_column(table, "fault")
    op.drop_index("objects_fault", "objects")
    for name in ("told", "fault_since", "fault", "verified"):
        op.drop_column("objects", name)
