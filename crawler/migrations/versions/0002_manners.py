"""A feed's rhythm, permanent redirects not yet confirmed, and scopes with a Retry-After."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("feeds", sa.Column("rhythm", sa.Integer))
    op.add_column("feeds", sa.Column("moved_to", sa.Text))
    op.add_column("feeds", sa.Column("moved_since", sa.BigInteger))
    op.add_column("feeds", sa.Column("moved_times", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "holds",
        sa.Column("scope", sa.String(255), primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("holds")
    for name in ("moved_times", "moved_since", "moved_to", "rhythm"):
        op.drop_column("feeds", name)
